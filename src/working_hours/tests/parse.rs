//! Tests of parsing working hours.

use super::*;

#[test]
fn parse_errors_say_what_is_wrong_with_the_working_hours() {
    for (value, wrong) in [
        (json!("9-5"), "must be an object"),
        (
            json!({ "days": [1], "from": "17:00", "to": "09:00" }),
            "not after the start",
        ),
        (
            json!({ "days": [1], "from": "09:00", "to": "09:00" }),
            "not after the start",
        ),
        (
            json!({ "days": [], "from": "09:00", "to": "17:00" }),
            "has no days",
        ),
        (
            json!({ "days": [0], "from": "09:00", "to": "17:00" }),
            "invalid day 0",
        ),
        (
            json!({ "days": [8], "from": "09:00", "to": "17:00" }),
            "invalid day 8",
        ),
        (
            json!({ "days": ["Mon"], "from": "09:00", "to": "17:00" }),
            "not a whole number",
        ),
        (
            json!({ "days": [1], "from": "9", "to": "17:00" }),
            "not a time",
        ),
        (
            json!({ "days": [1], "from": "09:00", "to": "24:00" }),
            "not a time",
        ),
        (json!({ "days": [1], "from": "09:00" }), "needs `to`"),
        (json!({ "from": "09:00", "to": "17:00" }), "needs `days`"),
        (
            json!({ "days": [1], "from": "09:00", "to": "17:00", "lunch": true }),
            "lunch",
        ),
    ] {
        let error = WorkingHours::parse(&value).unwrap_err();
        assert!(error.contains(wrong), "{value}: {error}");
    }
    let odd = json!({ "days": [1, 6], "from": "13:00", "to": "22:00" });
    assert_eq!(WorkingHours::parse(&odd).unwrap().to_json(), odd);
    assert_eq!(
        WorkingHours::parse(&WorkingHours::default().to_json()).unwrap(),
        WorkingHours::default()
    );
}
