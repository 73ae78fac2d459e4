//! The model as JSON, for programs.

use crate::model::Review;

/// Writes the model, indented, with a newline at its end.
pub(crate) fn render(review: &Review) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(review).expect("a review is plain data");
    bytes.push(b'\n');
    bytes
}
