//! Events by chance: every type, with every kind of text in it.

use events::{
    ActorId, AlertAcknowledged, AlertRaised, AlertResolved, BaselineEntered, BaselineValue, Date,
    DeadlineExtended, Document, Event, EventData, EventId, IndicatorId, KeyChange, KeyTexts, KeyValue,
    LineValue, Mark, MeasureId, Percent, Period, PlanAdopted, PlanAmended, PlanId, Position, Recorded,
    ReportLine, ReportSubmitted, Resolution, Review, Rule, Severity, Share, Successor, Summary,
    TargetChanged, TargetValue, Timestamp, UnitChange, UnitChanged, UnitId, UnitName,
};
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

const SLUG: &str = "[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}";

fn slug<T>(parse: fn(&str) -> Result<T, events::ids::SlugError>) -> impl Strategy<Value = T>
where
    T: std::fmt::Debug,
{
    SLUG.prop_map(move |text| parse(&text).unwrap())
}

fn instants() -> impl Strategy<Value = Timestamp> {
    // 1900 to 2200, in milliseconds: the log is no finer.
    (-2_208_988_800_000..7_258_118_400_000_i64)
        .prop_map(|millisecond| Timestamp::from_millisecond(millisecond).unwrap())
}

fn dates() -> impl Strategy<Value = Date> {
    (1900..2200_i16, 1..=12_i8, 1..=28_i8).prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

fn periods() -> impl Strategy<Value = Period> {
    (1900..=9999_i16).prop_map(Period)
}

fn event_ids() -> impl Strategy<Value = EventId> {
    any::<u128>().prop_map(EventId::from_u128)
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ÀẠẢdđDĐưƯợ\"\\\\/\u{0}\u{7f}\n]{0,12}"]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(texts(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn line_values() -> impl Strategy<Value = LineValue> {
    prop_oneof![
        (any::<u64>(), any::<u64>()).prop_map(|(one, other)| LineValue::Rate {
            numerator: one.min(other),
            denominator: one.max(other)
        }),
        any::<u8>().prop_map(|level| LineValue::Level { level }),
        (any::<bool>(), option::of(periods()))
            .prop_map(|(attained, recognised_year)| LineValue::Attained { attained, recognised_year }),
        Just(LineValue::WITHDRAWN),
    ]
}

fn lines() -> impl Strategy<Value = Vec<ReportLine>> {
    let line = (slug(MeasureId::parse), line_values(), option::of(texts()))
        .prop_map(|(measure, value, source)| ReportLine { measure, value, source });
    prop::collection::vec(line, 0..6)
}

fn target_values() -> impl Strategy<Value = TargetValue> {
    prop_oneof![
        (0..=10_000_u16).prop_map(|hundredths| {
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            TargetValue::Percent(Percent::parse(&text).unwrap())
        }),
        any::<u8>().prop_map(TargetValue::Level),
        any::<bool>().prop_map(TargetValue::Attained),
        Just(TargetValue::Withdrawn(true)),
    ]
}

fn unit_changes() -> impl Strategy<Value = UnitChange> {
    prop_oneof![
        texts().prop_map(|name| UnitChange::Rename { name }),
        texts().prop_map(|unit_type| UnitChange::Retype { unit_type }),
        texts().prop_map(|code| UnitChange::Recode { code }),
        Just(UnitChange::Dissolve),
        (unit_names(), texts(), texts(), option::of(slug(UnitId::parse))).prop_map(
            |(name, unit_type, code, parent)| UnitChange::Establish { name, unit_type, code, parent }
        ),
        (slug(UnitId::parse), option::of(shares()))
            .prop_map(|(into, share)| UnitChange::Merge { into, share }),
        prop::collection::vec(successors(), 0..4).prop_map(|into| UnitChange::Split { into }),
        slug(UnitId::parse).prop_map(|parent| UnitChange::Move { parent }),
    ]
}

fn unit_names() -> impl Strategy<Value = UnitName> {
    (texts(), texts()).prop_map(|(vi, en)| UnitName { vi, en })
}

fn shares() -> impl Strategy<Value = Share> {
    (any::<u64>(), any::<u64>()).prop_map(|(numerator, denominator)| Share { numerator, denominator })
}

fn successors() -> impl Strategy<Value = Successor> {
    (slug(UnitId::parse), option::of(shares())).prop_map(|(unit, share)| Successor { unit, share })
}

fn rules() -> impl Strategy<Value = Rule> {
    prop::sample::select(vec![
        Rule::Behind,
        Rule::AtRisk,
        Rule::Regressing,
        Rule::Missed,
        Rule::Overdue,
        Rule::DataQuality,
    ])
}

fn summaries() -> impl Strategy<Value = Summary> {
    (texts(), texts()).prop_map(|(vi, en)| Summary { vi, en })
}

pub(crate) fn reports() -> impl Strategy<Value = ReportSubmitted> {
    let document = (texts(), dates()).prop_map(|(number, date)| Document { number, date });
    let rest = (option::of(texts()), option::of(texts()));
    (slug(UnitId::parse), periods(), any::<u32>(), document, lines(), rest).prop_map(
        |(unit, period, revision, document, lines, (history, request_digest))| ReportSubmitted {
            unit,
            period,
            revision,
            document,
            lines,
            history,
            request_digest,
        },
    )
}

fn target_changes() -> impl Strategy<Value = TargetChanged> {
    let of = (slug(IndicatorId::parse), option::of(slug(UnitId::parse)), 1900..=9999_i16);
    let mark = prop::sample::select(vec![Mark::Attain, Mark::Maintain]);
    let rest = (texts(), option::of(texts()), option::of(texts()));
    (of, target_values(), mark, any::<u32>(), dates(), rest).prop_map(
        |(
            (indicator, unit, review),
            value,
            mark,
            revision,
            effective,
            (instrument, reason, request_digest),
        )| {
            let review = Review(review);
            TargetChanged {
                indicator,
                unit,
                review,
                value,
                mark,
                revision,
                effective,
                instrument,
                reason,
                request_digest,
            }
        },
    )
}

fn unit_changed() -> impl Strategy<Value = UnitChanged> {
    let rest = (texts(), option::of(texts()), option::of(texts()));
    (slug(UnitId::parse), unit_changes(), any::<u32>(), dates(), rest).prop_map(
        |(unit, change, revision, effective, (instrument, reason, request_digest))| UnitChanged {
            unit,
            change,
            revision,
            effective,
            instrument,
            reason,
            request_digest,
        },
    )
}

fn baselines() -> impl Strategy<Value = BaselineEntered> {
    let value = prop_oneof![
        (any::<u64>(), any::<u64>()).prop_map(|(one, other)| BaselineValue::Rate {
            numerator: one.min(other),
            denominator: one.max(other)
        }),
        Just(BaselineValue::WITHDRAWN),
    ];
    let document = (texts(), dates()).prop_map(|(number, date)| Document { number, date });
    let of = (slug(UnitId::parse), slug(IndicatorId::parse), periods());
    (of, value, document, any::<u32>(), option::of(texts()), option::of(texts())).prop_map(
        |((unit, indicator, period), value, document, revision, reason, request_digest)| BaselineEntered {
            unit,
            indicator,
            period,
            value,
            document,
            reason,
            revision,
            request_digest,
        },
    )
}

fn amendments() -> impl Strategy<Value = PlanAmended> {
    let value = prop_oneof![
        any::<bool>().prop_map(KeyValue::Flag),
        any::<u32>().prop_map(KeyValue::Whole),
        texts().prop_map(KeyValue::Text),
        (texts(), texts()).prop_map(|(vi, en)| KeyValue::Texts(KeyTexts { vi, en })),
        Just(KeyValue::Nothing),
    ];
    let changes =
        prop::collection::vec((texts(), value).prop_map(|(key, value)| KeyChange { key, value }), 0..5);
    let rest = (texts(), option::of(texts()), option::of(texts()));
    (changes, any::<u32>(), dates(), rest).prop_map(
        |(changes, revision, effective, (instrument, reason, request_digest))| PlanAmended {
            changes,
            revision,
            effective,
            instrument,
            reason,
            request_digest,
        },
    )
}

fn extensions() -> impl Strategy<Value = DeadlineExtended> {
    let rest = (texts(), option::of(texts()), option::of(texts()));
    (periods(), option::of(slug(UnitId::parse)), dates(), any::<u32>(), dates(), rest).prop_map(
        |(period, unit, due_before, revision, effective, (instrument, reason, request_digest))| {
            DeadlineExtended {
                period,
                unit,
                due_before,
                revision,
                effective,
                instrument,
                reason,
                request_digest,
            }
        },
    )
}

fn alerts_raised() -> impl Strategy<Value = AlertRaised> {
    let severity = prop::sample::select(vec![Severity::Notice, Severity::Warning, Severity::Critical]);
    let of = (event_ids(), rules(), slug(UnitId::parse), option::of(slug(IndicatorId::parse)));
    let because = prop::collection::vec(event_ids(), 0..4);
    (of, option::of(periods()), any::<u32>(), severity, because, summaries()).prop_map(
        |((alert, rule, unit, indicator), period, episode, severity, because, summary)| AlertRaised {
            alert,
            rule,
            unit,
            indicator,
            period,
            episode,
            severity,
            because,
            summary,
        },
    )
}

fn alerts_resolved() -> impl Strategy<Value = AlertResolved> {
    let resolution = prop::sample::select(vec![
        Resolution::Recovered,
        Resolution::TargetChanged,
        Resolution::Corrected,
        Resolution::Superseded,
        Resolution::UnitDissolved,
    ]);
    let of = (event_ids(), rules(), slug(UnitId::parse), option::of(slug(IndicatorId::parse)));
    (of, resolution, prop::collection::vec(event_ids(), 0..4), summaries()).prop_map(
        |((alert, rule, unit, indicator), resolution, because, summary)| AlertResolved {
            alert,
            rule,
            unit,
            indicator,
            resolution,
            because,
            summary,
        },
    )
}

fn acknowledgements() -> impl Strategy<Value = AlertAcknowledged> {
    (event_ids(), slug(UnitId::parse), texts(), option::of(dates()), option::of(texts())).prop_map(
        |(alert, unit, note, review_by, request_digest)| AlertAcknowledged {
            alert,
            unit,
            note,
            review_by,
            request_digest,
        },
    )
}

fn data() -> impl Strategy<Value = EventData> {
    prop_oneof![
        (json(), texts(), any::<bool>())
            .prop_map(|(plan, digest, sample)| EventData::PlanAdopted(PlanAdopted { plan, digest, sample })),
        reports().prop_map(EventData::ReportSubmitted),
        target_changes().prop_map(EventData::TargetChanged),
        unit_changed().prop_map(EventData::UnitChanged),
        baselines().prop_map(EventData::BaselineEntered),
        amendments().prop_map(EventData::PlanAmended),
        extensions().prop_map(EventData::DeadlineExtended),
        alerts_raised().prop_map(EventData::AlertRaised),
        alerts_resolved().prop_map(EventData::AlertResolved),
        acknowledgements().prop_map(EventData::AlertAcknowledged),
    ]
}

pub(crate) fn recorded_events() -> impl Strategy<Value = Recorded> {
    let event =
        (event_ids(), slug(PlanId::parse), instants(), slug(ActorId::parse), option::of(texts()), data())
            .prop_map(|(id, plan, effective, actor, traceparent, data)| Event {
                id,
                plan,
                effective,
                actor,
                traceparent,
                data,
            });
    (1..=u64::MAX, instants(), event).prop_map(|(position, recorded_at, event)| Recorded {
        position: Position(position),
        recorded_at,
        event,
    })
}
