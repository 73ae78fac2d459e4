//! Pages of long lists: how many entries, and from where, always of the first page's moment.

use events::{FieldError, Position, Timestamp};
use indicators::Moment;
use std::str::FromStr;

/// How many entries a page holds where nobody says.
pub(crate) const PAGE_DEFAULT: usize = 5_000;
/// How many entries a page holds at most.
pub(crate) const PAGE_LIMIT: usize = 5_000;

/// Where a list goes on: an entry of the list as it was at the first page's moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) moment: Moment,
    offset: usize,
}

impl Cursor {
    /// Writes the cursor as callers carry it: opaque to them.
    fn written(self) -> String {
        let Moment { cut, known_at, as_of } = self.moment;
        format!("{cut}.{}.{}.{}", known_at.as_millisecond(), as_of.as_millisecond(), self.offset)
    }
}

impl FromStr for Cursor {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Cursor, FieldError> {
        let wrong = || {
            FieldError::new(
                "?cursor",
                "not-a-cursor",
                "the cursor is none that an answer gave",
                "take `next` of the page before, unchanged",
            )
        };
        let numbers: Vec<i64> =
            text.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let [cut, known_at, as_of, offset] = numbers[..] else { return Err(wrong()) };
        let instant = |milliseconds| Timestamp::from_millisecond(milliseconds).map_err(|_| wrong());
        Ok(Cursor {
            moment: Moment {
                cut: Position(u64::try_from(cut).map_err(|_| wrong())?),
                known_at: instant(known_at)?,
                as_of: instant(as_of)?,
            },
            offset: usize::try_from(offset).map_err(|_| wrong())?,
        })
    }
}

/// Cuts a page out of a list, and says where the next one begins; nothing where the list ends.
pub(crate) fn page<T>(
    list: Vec<T>,
    moment: Moment,
    cursor: Option<Cursor>,
    limit: Option<usize>,
) -> (Vec<T>, Option<String>) {
    let offset = cursor.map_or(0, |cursor| cursor.offset);
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let end = offset.saturating_add(limit);
    let next = (end < list.len()).then(|| Cursor { moment, offset: end }.written());
    (list.into_iter().skip(offset).take(limit).collect(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_stay_with_their_moment() {
        let moment = Moment::at(Position(42), Timestamp::from_millisecond(1_700_000_000_123).unwrap());
        let list: Vec<u32> = (0..7).collect();
        let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
        loop {
            let (page, next) = page(list.clone(), moment, cursor, Some(3));
            seen.extend(page);
            pages += 1;
            let Some(next) = next else { break };
            let read: Cursor = next.parse().unwrap();
            assert_eq!(read.moment, moment);
            cursor = Some(read);
        }
        assert_eq!((seen, pages), (list, 3));
    }

    #[test]
    fn what_no_answer_gave_is_no_cursor() {
        for wrong in
            ["", "1", "1.2.3", "1.2.3.x", "-1.2.3.4", "1.2.3.-4", "1.2.3.4.5", "1.99999999999999999.3.4"]
        {
            assert_eq!(wrong.parse::<Cursor>().unwrap_err().code, "not-a-cursor", "{wrong:?}");
        }
    }
}
