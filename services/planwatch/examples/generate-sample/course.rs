//! The reports of each year: how large a district is, how it fares, and when it reports.

use super::{Draws, Entry, document_number, office_hour};
use serde_json::{Map, Value, json};

const FIRST_YEAR: i16 = 2021;
const LAST_YEAR: i16 = 2025;
const SOURCE: &str = "dữ liệu mẫu";

/// A district of the sample.
struct District {
    id: &'static str,
    /// Persons in 2021, of a plausible size.
    population: i64,
    /// Growth a year, in thousandths.
    growth: i64,
    /// General, continuing, vocational and other institutions.
    institutions: i64,
    /// Community learning centres, about one a commune.
    centres: i64,
    /// Where it stands in 2021, in hundredths of the target of 2025.
    begins_at: i64,
    /// Where it comes to in 2025, in hundredths of the target of 2025.
    comes_to: i64,
}

#[rustfmt::skip]
const DISTRICTS: [District; 9] = [
    District { id: "thu-dau-mot", population: 336_000, growth: 17, institutions: 128, centres: 14, begins_at: 68, comes_to: 136 },
    District { id: "bau-bang", population: 106_000, growth: 31, institutions: 46, centres: 7, begins_at: 52, comes_to: 97 },
    District { id: "dau-tieng", population: 121_000, growth: 9, institutions: 54, centres: 12, begins_at: 49, comes_to: 84 },
    District { id: "ben-cat", population: 362_000, growth: 35, institutions: 84, centres: 8, begins_at: 55, comes_to: 103 },
    District { id: "phu-giao", population: 97_000, growth: 8, institutions: 49, centres: 11, begins_at: 50, comes_to: 76 },
    District { id: "tan-uyen", population: 466_000, growth: 29, institutions: 91, centres: 12, begins_at: 57, comes_to: 108 },
    District { id: "di-an", population: 463_000, growth: 22, institutions: 117, centres: 7, begins_at: 66, comes_to: 117 },
    District { id: "thuan-an", population: 588_000, growth: 19, institutions: 139, centres: 10, begins_at: 63, comes_to: 112 },
    District { id: "bac-tan-uyen", population: 86_000, growth: 14, institutions: 38, centres: 10, begins_at: 44, comes_to: 88 },
];

/// A rate that districts report.
struct RateMeasure {
    id: &'static str,
    /// The target of 2025, in hundredths.
    target: i64,
    base: Base,
}

/// Over what a rate is counted.
#[derive(Clone, Copy)]
enum Base {
    /// So many thousandths of the population.
    Population(i64),
    Institutions,
    Centres,
}

#[rustfmt::skip]
const RATES: [RateMeasure; 7] = [
    RateMeasure { id: "information-literacy", target: 50, base: Base::Population(684) },
    RateMeasure { id: "life-skills", target: 50, base: Base::Population(684) },
    RateMeasure { id: "trained-workforce", target: 50, base: Base::Population(771) },
    RateMeasure { id: "university-degree", target: 12, base: Base::Population(771) },
    RateMeasure { id: "digital-institutions", target: 60, base: Base::Institutions },
    RateMeasure { id: "community-centres-it", target: 70, base: Base::Centres },
    RateMeasure { id: "learning-citizens", target: 40, base: Base::Population(733) },
];

/// How much of the way from 2021 to 2025 is usually made by the end of each year, in hundredths.
const WAY: [i64; 5] = [0, 23, 48, 75, 100];

/// How far a district has come in a year, in ten-thousandths.
fn rate(district: &District, measure: &RateMeasure, year: i16) -> i64 {
    // Each district is better at one thing and worse at another, over all the years.
    let mut lasting = Draws::of(&["lasting", district.id, measure.id]);
    let begins = district.begins_at + lasting.between(-6, 6);
    let comes = district.comes_to + lasting.between(-14, 14);
    if let Some(set) = super::scenes::rate_of(district.id, measure.id, year) {
        return set;
    }
    let mut of_year = Draws::of(&["year", district.id, measure.id, &year.to_string()]);
    let index = usize::try_from(year - FIRST_YEAR).expect("the sample begins in 2021");
    let jitter = if (1..4).contains(&index) { of_year.between(-6, 6) } else { 0 };
    let hundredths_of_target = begins * 100 + (comes - begins) * (WAY[index] + jitter);
    (measure.target * hundredths_of_target / 100).min(10_000)
}

/// Of how many in a year; it never shrinks.
fn denominator(district: &District, measure: &RateMeasure, year: i16) -> i64 {
    let passed = i64::from(year - FIRST_YEAR);
    match measure.base {
        Base::Population(thousandths) => {
            let grown =
                (0..passed).fold(district.population, |now, _| now * (1_000 + district.growth) / 1_000);
            let uneven = Draws::of(&["population", district.id]).between(0, 499);
            (grown + uneven) * thousandths / 1_000
        }
        Base::Institutions => district.institutions + passed * district.growth / 8,
        Base::Centres => district.centres,
    }
}

pub(super) fn rate_line(measure: &str, numerator: i64, denominator: i64) -> Value {
    json!({"measure": measure, "numerator": numerator, "denominator": denominator, "source": SOURCE})
}

/// The counts of a district's rate in a year, for corrections that start from them.
pub(super) fn counts(unit: &str, measure: &str, year: i16) -> (i64, i64) {
    let district = DISTRICTS.iter().find(|district| district.id == unit).expect("a district of the sample");
    let measure = RATES.iter().find(|rate| rate.id == measure).expect("a rate of the sample");
    counts_of(district, measure, year)
}

fn counts_of(district: &District, measure: &RateMeasure, year: i16) -> (i64, i64) {
    let denominator = denominator(district, measure, year);
    // Uneven last digits, as counts have them.
    let spread = Draws::of(&["count", district.id, measure.id, &year.to_string()]).between(0, 9);
    let numerator = denominator * rate(district, measure, year) / 10_000;
    let uneven = if denominator > 1_000 { spread } else { 0 };
    ((numerator + uneven).min(denominator), denominator)
}

fn lines_of(district: &District, year: i16) -> Vec<Value> {
    let mut lines = Vec::new();
    for measure in ["literacy-level", "primary-level", "lower-secondary-level"] {
        let level = super::scenes::level_of(district.id, measure, year);
        lines.push(json!({"measure": measure, "level": level, "source": SOURCE}));
    }
    for measure in &RATES {
        match super::scenes::exception(district.id, measure.id, year) {
            Some(super::scenes::Exception::LeftOut) => {}
            Some(super::scenes::Exception::NoneExist) => lines.push(rate_line(measure.id, 0, 0)),
            None => {
                let (numerator, denominator) = counts_of(district, measure, year);
                lines.push(rate_line(measure.id, numerator, denominator));
            }
        }
    }
    lines.extend(super::scenes::recognition(district.id, year));
    lines
}

fn report(unit: &str, year: i16, number: i64, document_date: &str, lines: Vec<Value>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("unit".into(), unit.into());
    body.insert("period".into(), year.to_string().into());
    body.insert("document".into(), json!({"number": document_number(number), "date": document_date}));
    body.insert("lines".into(), lines.into());
    body
}

/// Every yearly report of the districts and of the province.
pub(super) fn reports() -> Vec<Entry> {
    let mut entries = Vec::new();
    for year in FIRST_YEAR..=LAST_YEAR {
        for (index, district) in (0..).zip(&DISTRICTS) {
            if super::scenes::is_missing(district.id, year) {
                continue;
            }
            let lines = lines_of(district, year);
            entries.push(of_year(district.id, year, 201 + 7 * index, lines));
        }
        entries.push(of_year("binh-duong", year, 281, super::scenes::province_lines(year)));
    }
    entries
}

fn of_year(unit: &str, year: i16, number: i64, lines: Vec<Value>) -> Entry {
    let mut draws = Draws::of(&["report", unit, &year.to_string()]);
    if year == FIRST_YEAR {
        // The plan was adopted in March 2022: what the units reported before is entered after it.
        let document_date = format!("2021-12-{:02}", draws.between(1, 24));
        let mut body = report(unit, year, number, &document_date, lines);
        body.insert("history".into(), "Số liệu nền năm 2021, nhập sau khi kế hoạch được ban hành".into());
        let day = draws.between(18, 31);
        let day = office_hour(2022, 3, day, &mut draws);
        return Entry { day, operation: "submit-report", body: body.into() };
    }
    let (month, day) = super::scenes::late_day(unit, year).unwrap_or_else(|| (11, draws.between(7, 28)));
    // The paper is signed one to three days before it arrives.
    let signed = (day - draws.between(1, 3)).max(1);
    let body = report(unit, year, number, &format!("{year:04}-{month:02}-{signed:02}"), lines);
    Entry { day: office_hour(year, month, day, &mut draws), operation: "submit-report", body: body.into() }
}
