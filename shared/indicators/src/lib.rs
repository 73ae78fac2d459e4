//! The fold: from events to facts, and from facts at two times to cells, series and statuses.
