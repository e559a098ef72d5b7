//! Tests of all settings together.

use super::*;

fn with(settings: &[(&str, &str)]) -> Result<Config, String> {
    Config::parse(
        settings
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
    )
}

#[test]
fn error_names_every_invalid_setting_without_repeating_its_value() {
    let wrong = with(&[
        ("HEARBACK_LISTEN", "8080"),
        ("DATABASE_URL", "mysql://root:secret@db/x"),
        ("HEARBACK_DELIVERY", "redirect"),
    ])
    .unwrap_err();
    assert!(
        wrong.contains("HEARBACK_LISTEN: ")
            && wrong.contains("DATABASE_URL: ")
            && wrong.contains("HEARBACK_DELIVERY: "),
        "{wrong}"
    );
    assert!(!wrong.contains("secret"));
}

#[test]
fn sending_email_requires_a_sender_address_and_a_public_url() {
    let server = ("HEARBACK_SMTP_URL", "smtps://ada:secret@mail.example.org");
    let wrong = with(&[server]).unwrap_err();
    assert!(
        wrong.contains("HEARBACK_MAIL_FROM: is required")
            && wrong.contains("HEARBACK_URL: is required"),
        "{wrong}"
    );
    let url = ("HEARBACK_URL", "https://hearback.example.org");
    let wrong = with(&[server, url, ("HEARBACK_MAIL_FROM", "Hearback")]).unwrap_err();
    assert!(
        wrong.starts_with("HEARBACK_MAIL_FROM: is not an email address")
            && wrong.lines().count() == 1,
        "{wrong}"
    );
    let config = with(&[
        server,
        url,
        ("HEARBACK_MAIL_FROM", "Hearback <hearback@example.org>"),
    ])
    .unwrap();
    assert!(config.mail.is_some() && !format!("{config:?}").contains("secret"));
    assert!(with(&[]).unwrap().mail.is_none());
}

#[test]
fn maximum_recording_length_defaults_to_120_minutes_and_must_be_from_1_to_1440() {
    assert_eq!(with(&[]).unwrap().max_recording, 120);
    assert_eq!(
        with(&[("HEARBACK_MAX_RECORDING", "45")])
            .unwrap()
            .max_recording,
        45
    );
    for wrong in ["0", "two hours", "1441"] {
        assert!(
            with(&[("HEARBACK_MAX_RECORDING", wrong)])
                .unwrap_err()
                .starts_with("HEARBACK_MAX_RECORDING: is not a valid number of minutes")
        );
    }
}

#[test]
fn upload_size_limit_and_bucket_address_are_parsed() {
    let config = with(&[
        ("HEARBACK_MAX_UPLOAD", "500 MiB"),
        ("HEARBACK_STORAGE", "s3://bucket/some/where/"),
    ])
    .unwrap();
    assert_eq!(config.max_upload, 500 << 20);
    assert_eq!(
        config.storage,
        StorageLocation::S3 {
            bucket: "bucket".into(),
            prefix: "some/where".into()
        }
    );
}
