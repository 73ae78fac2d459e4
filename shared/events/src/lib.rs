//! Events, ids and times as types, and the form in which they are written.
