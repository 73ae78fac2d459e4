//! Projection: follows the stream, folds it and answers questions about any date.
