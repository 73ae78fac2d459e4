//! How a table of cases is written, and what it is read as.

/// The first line of the table of what was recorded.
pub(crate) const RECORDED_HEADER: &str =
    "| Ghi nhận · Recorded | Văn bản · Document | Đơn vị · Unit | Nội dung · What |";

/// The first line of the table of questions and their answers.
pub(crate) const QUESTION_HEADER: &str = "| Tính đến · As of | Biết đến · Known at | Đơn vị · Unit | Chỉ số · Indicator | Giá trị · Value | Chỉ tiêu · Target | Gốc · Baseline | Kỳ vọng · Expected | Nhịp độ · Pace | Trạng thái · Status | Kết luận 2025, 2030 · Verdicts | Kèm theo · Beside |";

const ARITHMETIC: &str = "Cách tính · Arithmetic: ";
const PLAN: &str = "Kế hoạch · Plan: without ";

/// One case: what was recorded, and what is asked about it.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) title: String,
    /// Targets of the plan's text that this case does without: indicator and review.
    pub(crate) plan_without: Vec<(String, String)>,
    pub(crate) recorded: Vec<Row>,
    pub(crate) questions: Vec<Row>,
    line: usize,
    has_arithmetic: bool,
}

/// One row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) cells: Vec<String>,
}

/// A line and what is wrong with it.
pub(crate) type Wrong = (usize, String);

/// Which table the reader is in.
#[derive(Clone, Copy)]
enum Table {
    Recorded,
    Questions,
}

impl Table {
    fn columns(self) -> usize {
        let header = match self {
            Table::Recorded => RECORDED_HEADER,
            Table::Questions => QUESTION_HEADER,
        };
        cells(header).len()
    }
}

fn cells(line: &str) -> Vec<String> {
    let inside = line.trim().trim_start_matches('|').trim_end_matches('|');
    inside.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Reads a file of cases, or says everything that is wrong with how it is written.
pub(crate) fn read(text: &str) -> Result<Vec<Case>, Vec<Wrong>> {
    let mut cases: Vec<Case> = Vec::new();
    let mut wrong = Vec::new();
    let mut table = None;
    for (line, content) in (1..).zip(text.lines()) {
        if let Some(title) = content.strip_prefix("## ") {
            cases.push(Case { title: title.to_owned(), line, ..Case::default() });
            table = None;
            continue;
        }
        // What stands before the first case is for people.
        let Some(case) = cases.last_mut() else { continue };
        if content.trim().is_empty() {
            table = None;
        } else if content.starts_with('|') {
            match read_row(case, table, line, content) {
                Ok(now_in) => table = Some(now_in),
                Err(what) => wrong.push((line, what)),
            }
        } else if content.starts_with(ARITHMETIC) {
            case.has_arithmetic = true;
        } else if let Some(targets) = content.strip_prefix(PLAN) {
            let pairs = targets.split(',').filter_map(|pair| pair.trim().split_once(' '));
            case.plan_without = pairs.map(|(of, review)| (of.to_owned(), review.to_owned())).collect();
        } else {
            wrong.push((line, "neither a table nor the plan nor the arithmetic of a case".to_owned()));
        }
    }
    for case in &cases {
        if case.questions.is_empty() {
            wrong.push((case.line, "the case asks no question".to_owned()));
        }
        if !case.has_arithmetic {
            wrong.push((case.line, format!("the case has no line `{ARITHMETIC}`")));
        }
    }
    if wrong.is_empty() { Ok(cases) } else { Err(wrong) }
}

fn read_row(case: &mut Case, table: Option<Table>, line: usize, content: &str) -> Result<Table, String> {
    let Some(table) = table else {
        return match content.trim_end() {
            RECORDED_HEADER => Ok(Table::Recorded),
            QUESTION_HEADER => Ok(Table::Questions),
            _ => Err("no table of a case begins with these headings".to_owned()),
        };
    };
    if content.chars().all(|character| "|-: ".contains(character)) && content.contains("---") {
        return Ok(table);
    }
    let cells = cells(content);
    if cells.len() != table.columns() {
        return Err(format!("{} columns where the table has {}", cells.len(), table.columns()));
    }
    let rows = match table {
        Table::Recorded => &mut case.recorded,
        Table::Questions => &mut case.questions,
    };
    rows.push(Row { line, cells });
    Ok(table)
}
