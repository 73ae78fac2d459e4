//! The rules on one cell: `behind`, `at-risk`, `regressing` and `missed`.

use super::resolution::{self, Cause};
use super::wording::Words;
use super::{Decided, Episode, resolve};
use events::{EventId, Mark, Period, Resolution, Review, Rule, Severity};
use indicators::{AlertFact, Cell, Moment, RateProgress, Status, Value, Verdict, View, hundredths_of};
use plan::{Hysteresis, Indicator, Ratio, Unit};

/// A cell as the rules look at it.
pub(super) struct Judged<'a> {
    pub(super) unit: &'a Unit,
    pub(super) indicator: &'a Indicator,
    pub(super) cell: Cell,
    progress: Option<RateProgress>,
}

impl<'a> Judged<'a> {
    pub(super) fn new(view: &View<'_>, unit: &'a Unit, indicator: &'a Indicator) -> Judged<'a> {
        Judged {
            unit,
            indicator,
            cell: view.cell(unit, indicator),
            progress: view.rate_progress(unit, indicator),
        }
    }

    /// Whether there is a pace below a bound and the target is not met.
    fn lags(&self, below: Ratio) -> bool {
        self.progress.as_ref().is_some_and(|progress| {
            let pace_is_below =
                progress.pace.as_ref().is_some_and(|pace| *pace < hundredths_of(below.hundredths()));
            pace_is_below && !progress.meets_target
        })
    }

    /// Whether the rule would keep an alert of its own open, other rules aside.
    pub(super) fn keeps_open(&self, view: &View<'_>, rule: Rule, period: Option<Period>) -> bool {
        match rule {
            Rule::Behind => self.lags(view.plan().alerts.behind.clears_from),
            Rule::AtRisk => self.lags(view.plan().alerts.at_risk.clears_from),
            Rule::Regressing => self.is_regressing(),
            Rule::Missed => period.is_some_and(|period| self.has_missed(Review(period.year()))),
            Rule::Overdue | Rule::DataQuality => false,
        }
    }

    pub(super) fn is_regressing(&self) -> bool {
        self.cell.status == Some(Status::Regressing)
    }

    fn has_missed(&self, review: Review) -> bool {
        self.cell.verdicts.get(&review) == Some(&Some(Verdict::NotMet))
    }
}

/// Decides for a cell of a unit in force.
pub(super) fn decide(view: &View<'_>, unit: &Unit, indicator: &Indicator, decided: &mut Vec<Decided>) {
    let judged = Judged::new(view, unit, indicator);
    if judged.cell.degraded.is_some() {
        return;
    }
    let rules = CellRules { view, judged: &judged };
    let mut raised = Vec::new();
    rules.pace(decided, &mut raised);
    rules.regressing(decided, &mut raised);
    rules.missed(decided, &mut raised);
    decided.append(&mut raised);
}

struct CellRules<'a> {
    view: &'a View<'a>,
    judged: &'a Judged<'a>,
}

impl<'a> CellRules<'a> {
    fn open(&self, rule: Rule, period: Option<Period>) -> Option<&'a AlertFact> {
        self.view.facts().open_alert(rule, &self.judged.unit.id, Some(&self.judged.indicator.id), period)
    }

    fn episode(&self, rule: Rule, period: Option<Period>) -> Episode<'a> {
        Episode { rule, unit: &self.judged.unit.id, indicator: Some(&self.judged.indicator.id), period }
    }

    fn words(&self) -> Words<'_> {
        Words::new(self.view.unit_now(self.judged.unit), self.judged.indicator, &self.judged.cell)
    }

    fn clear(&self, alert: &AlertFact, resolution: Resolution) -> Decided {
        let summary = self.words().resolved(resolution);
        let mut because = self.judged.cell.because.clone();
        if resolution == Resolution::TargetChanged {
            let as_of = self.view.moment().as_of;
            let amendments = self.view.facts().amendments().iter().filter(|amendment| {
                (amendment.position > alert.position || amendment.effective > alert.raised_at)
                    && amendment.effective <= as_of
            });
            add_new(&mut because, &amendments.map(|amendment| amendment.event).collect::<Vec<_>>());
        }
        resolve(alert, resolution, because, summary)
    }

    /// `behind` and `at-risk`: below a bound they fire, from a higher one on they clear, so that neither
    /// flickers; while `behind` is open there is no `at-risk` on the same cell.
    fn pace(&self, decided: &mut Vec<Decided>, raised: &mut Vec<Decided>) {
        let Hysteresis { fires_below, clears_from } = self.view.plan().alerts.behind;
        let is_behind = match self.open(Rule::Behind, None) {
            Some(_) if self.judged.lags(clears_from) => true,
            Some(alert) => {
                decided.push(self.clear(alert, self.why_cleared(alert)));
                false
            }
            None if self.judged.lags(fires_below) => {
                // In a review year there is no next report that could still turn it.
                let as_of_year = self.view.plan().calendar.year_of(self.view.moment().as_of);
                let mut reviews = self.view.plan().reviews.iter();
                let critical = reviews.any(|review| review.review.year() == as_of_year);
                let severity = if critical { Severity::Critical } else { Severity::Warning };
                raised.push(self.raise(Rule::Behind, severity, self.words().behind()));
                true
            }
            None => false,
        };

        let Hysteresis { fires_below, clears_from } = self.view.plan().alerts.at_risk;
        match self.open(Rule::AtRisk, None) {
            Some(alert) if is_behind => decided.push(self.clear(alert, Resolution::Superseded)),
            Some(_) if self.judged.lags(clears_from) => {}
            Some(alert) => decided.push(self.clear(alert, self.why_cleared(alert))),
            None if !is_behind && self.judged.lags(fires_below) => {
                raised.push(self.raise(Rule::AtRisk, Severity::Notice, self.words().at_risk()));
            }
            None => {}
        }
    }

    /// `regressing` follows the status. Losing what is to be maintained is critical.
    fn regressing(&self, decided: &mut Vec<Decided>, raised: &mut Vec<Decided>) {
        match (self.open(Rule::Regressing, None), self.judged.is_regressing()) {
            (Some(alert), false) => decided.push(self.clear(alert, self.why_cleared(alert))),
            (None, true) => {
                let mark = self.judged.cell.target.as_ref().map(|target| target.mark);
                let severity = match mark {
                    Some(Mark::Maintain) => Severity::Critical,
                    Some(Mark::Attain) | None => Severity::Warning,
                };
                raised.push(self.raise(Rule::Regressing, severity, self.words().regressing()));
            }
            (Some(_), true) | (None, false) => {}
        }
    }

    /// `missed` follows each verdict not-met; one alert for each review, whose year is its period.
    fn missed(&self, decided: &mut Vec<Decided>, raised: &mut Vec<Decided>) {
        for review in self.view.plan().reviews.iter().map(|review| review.review) {
            let period = Period(review.year());
            match (self.open(Rule::Missed, Some(period)), self.judged.has_missed(review)) {
                (Some(alert), false) => {
                    // The year is over: what turns its verdict is a correction, unless the target moved.
                    let resolution = match resolution::cause(self.view, self.judged, alert) {
                        Cause::Target => Resolution::TargetChanged,
                        Cause::Figures { .. } | Cause::Units => Resolution::Corrected,
                    };
                    decided.push(self.clear(alert, resolution));
                }
                (None, true) => raised.push(self.raise_missed(review)),
                (Some(_), true) | (None, false) => {}
            }
        }
    }

    fn raise(&self, rule: Rule, severity: Severity, summary: events::Summary) -> Decided {
        let cell = &self.judged.cell;
        self.episode(rule, cell.period).raise(self.view, severity, cell.because.clone(), summary)
    }

    /// Why an alert on the pace or the status clears.
    ///
    /// A target that moved comes first: nothing got better. Then another alert that says it now. What is
    /// left is figures: of a newer period they are an improvement, of the same period a correction.
    fn why_cleared(&self, alert: &AlertFact) -> Resolution {
        let status = self.judged.cell.status;
        if alert.rule == Rule::Regressing && status == Some(Status::Missed) {
            return Resolution::Superseded;
        }
        let pace_vanished = alert.rule != Rule::Regressing && self.judged.cell.pace.is_none();
        match resolution::cause(self.view, self.judged, alert) {
            Cause::Target => Resolution::TargetChanged,
            Cause::Figures { .. } | Cause::Units if pace_vanished && self.judged.is_regressing() => {
                Resolution::Superseded
            }
            Cause::Figures { newer: true } if !pace_vanished || is_good(status) => Resolution::Recovered,
            Cause::Figures { .. } | Cause::Units => Resolution::Corrected,
        }
    }

    /// A missed review rests on the figures and the target of its year, whatever came later.
    fn raise_missed(&self, review: Review) -> Decided {
        let period = Period(review.year());
        let view = self.view;
        let end = view.plan().calendar.end_of_year(review.year());
        let at_end = Moment { as_of: end, ..view.moment() };
        let at_end =
            View::new(view.facts(), at_end).map(|view| view.cell(self.judged.unit, self.judged.indicator));
        let series = view.series(self.judged.unit, self.judged.indicator);
        let point = series.points.into_iter().find(|point| point.period == period);
        let (value, mut because) = match point {
            Some(point) if point.value.is_some() => (point.value, point.because),
            _ => (None, Vec::new()),
        };
        let mut missed = self.judged.cell.clone();
        if let Some(at_end) = at_end {
            missed.target = at_end.target;
            let of_value: Option<Value> = value.or(at_end.value);
            missed.value = of_value;
            add_new(&mut because, &at_end.because);
        }
        missed.period = Some(period);
        let words = Words::new(view.unit_now(self.judged.unit), self.judged.indicator, &missed);
        let summary = words.missed(review);
        self.episode(Rule::Missed, Some(period)).raise(view, Severity::Critical, because, summary)
    }
}

fn is_good(status: Option<Status>) -> bool {
    matches!(status, Some(Status::OnTrack | Status::Achieved))
}

fn add_new(because: &mut Vec<EventId>, more: &[EventId]) {
    for event in more {
        if !because.contains(event) {
            because.push(*event);
        }
    }
}
