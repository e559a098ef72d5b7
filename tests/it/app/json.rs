//! Shorthands for JSON bodies.

use serde_json::Value;

/// Returns the path of an update.
pub fn update_path(update: &Value) -> String {
    format!("/updates/{}", text(&update["id"]))
}

/// Returns the path of a media item.
pub fn media_path(media: &Value) -> String {
    format!("/media/{}", text(&media["id"]))
}

/// Returns the path of a comment.
pub fn comment_path(comment: &Value) -> String {
    format!("/comments/{}", text(&comment["id"]))
}

/// Returns the text of a JSON string. Panics if the value is anything else.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a string: {value}"))
}

/// Returns the elements of a JSON array. Panics if the value is anything else.
#[track_caller]
pub fn array(value: &Value) -> &Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("not an array: {value}"))
}

/// Returns the text of one field of each element of a JSON array.
#[track_caller]
pub fn texts<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    array(value).iter().map(|one| text(&one[field])).collect()
}
