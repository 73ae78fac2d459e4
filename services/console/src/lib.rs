//! The console: the only HTTP edge; API, page and sign-in.
