//! Redactions that run at the same time as other work, or that are interrupted by a crash or an outage.

use hearback::markup::{self, FlattenMarkup, MarkupInput, PutOutcome};
use hearback::people::Viewer;
use image::ImageFormat;
use serde_json::{Value, json};

use super::{
    Scene, cover, items_with_secret, publish, secret, start, step_at, upload_by_form, urls,
};
use crate::app::{Client, TestApp};
use crate::cable::DetachableStorage;
use crate::markup::put_markup;

#[actix_web::test]
async fn rendered_copy_with_markup_is_deleted_if_the_picture_was_redacted_during_rendering() {
    let Scene {
        app, ada, media, ..
    } = Scene::new().await;
    put_markup(&ada, &media, 0, json!([step_at(0.9)]))
        .await
        .expect(200);
    app.wait_for_jobs().await;
    let ctx = &app.state.uploads.media;
    let job = || FlattenMarkup {
        media: media.trim_start_matches("/media/").to_owned(),
        generation: 1,
        revision: 1,
    };
    let drawn = job()
        .flatten(ctx)
        .await
        .unwrap()
        .expect("the picture has markup to render");
    put_markup(&ada, &media, 1, json!([cover()]))
        .await
        .expect(200);
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    // A worker stores a copy that it drew before the redaction.
    drawn.commit(ctx).await.unwrap();
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert!(
        job().flatten(ctx).await.unwrap().is_none(),
        "a later run of the same job does nothing"
    );
    app.wait_for_jobs().await;
    assert_eq!(urls(&ada.get(&media).await.json()).len(), 2);
}

/// Saves a redaction without deleting any file. The redaction hides the picture at once. A server
/// that is killed right after saving a redaction leaves the same state behind.
async fn hide_without_deleting(app: &TestApp, ada: &Client, media: &str, shapes: Value) {
    let sent = MarkupInput::parse(&shapes, &Value::Null, &app.state.uploads.media.font).unwrap();
    let token = ada.authorization().trim_start_matches("Bearer ");
    let person = hearback::people::viewer_by_token(&app.state.db, &app.state.clock, token)
        .await
        .unwrap()
        .unwrap();
    let mut tx = app.state.db.begin().await.unwrap();
    let id = media.trim_start_matches("/media/");
    let saved = markup::put(
        &mut tx,
        &app.state.clock,
        &Viewer::Person(person),
        id,
        (0, &sent),
        None,
    )
    .await
    .unwrap();
    assert_eq!(saved, PutOutcome::Hidden);
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn picture_hidden_before_a_crash_stays_hidden_until_a_job_redacts_it() {
    let Scene {
        app,
        ada,
        ben,
        media,
        ..
    } = Scene::new().await;
    let before = ben.get(&media).await.json();
    hide_without_deleting(&app, &ada, &media, json!([cover()])).await;
    let hidden = ben.get(&media).await.json();
    assert_eq!(
        (&hidden["state"], &hidden["renditions"]),
        (&json!("processing"), &json!([]))
    );
    for url in urls(&before) {
        ada.get(&url).await.problem(404);
    }
    put_markup(&ada, &media, 0, json!([step_at(0.0)]))
        .await
        .problem(409);
    assert!(!items_with_secret(&app).await.is_empty());
    app.state.clock.advance(61_000);
    app.execute("UPDATE jobs SET attempts = 40 WHERE kind = 'burn'")
        .await;
    app.wait_for(&ada, &media, |media| media["state"] == "ready")
        .await;
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert_eq!(
        ada.get(&format!("{media}/markup")).await.json()["revision"],
        1
    );
    // A client that got no response can repeat its request.
    assert_eq!(
        put_markup(&ada, &media, 0, json!([cover()]))
            .await
            .expect(200)
            .json()["revision"],
        1
    );
}

#[actix_web::test]
async fn picture_removed_while_hidden_for_redaction_leaves_nothing_behind() {
    let Scene {
        app, ada, media, ..
    } = Scene::new().await;
    hide_without_deleting(&app, &ada, &media, json!([cover()])).await;
    ada.delete(&media).await.expect(204);
    app.state.clock.advance(61_000);
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert_eq!(app.count("SELECT count(*) FROM burns").await, 0);
}

#[actix_web::test]
async fn redaction_during_a_storage_outage_hides_the_picture_until_the_redaction_is_retried() {
    let (app, storage) = DetachableStorage::start().await;
    let Scene {
        app,
        ada,
        ben,
        media,
        ..
    } = Scene::on(app).await;
    let before = ben.get(&media).await.json();
    storage.detach();
    let refused = put_markup(&ada, &media, 0, json!([cover()])).await;
    let problem = refused.problem(503);
    assert!(
        problem["detail"].as_str().unwrap().contains("hidden"),
        "{problem}"
    );
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    assert_eq!(ben.get(&media).await.json()["state"], "processing");
    storage.attach();
    app.wait_until("the storage is available again", async || {
        ada.get("/readyz").await.status == 200
    })
    .await;
    for url in urls(&before) {
        ada.get(&url).await.problem(404);
    }
    assert_eq!(
        put_markup(&ada, &media, 0, json!([cover()]))
            .await
            .expect(200)
            .json()["revision"],
        1
    );
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert_eq!(ben.get(&media).await.json()["state"], "ready");
}

#[actix_web::test]
async fn concurrent_redactions_leave_no_redacted_pixels() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let update = publish(&ada).await;
    for same in [true, false] {
        let media = upload_by_form(&ada, &update, "secret.png", secret(ImageFormat::Png)).await;
        app.wait_for_jobs().await;
        let more = json!({ "kind": "redaction", "box": [0.0, 0.0, 0.1, 0.1] });
        let (one, two) = (
            json!([cover()]),
            if same {
                json!([cover()])
            } else {
                json!([cover(), more])
            },
        );
        let (one, two) = futures_util::join!(
            put_markup(&ada, &media, 0, one),
            put_markup(&ada, &media, 0, two)
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, if same { [200, 200] } else { [200, 409] });
        assert_eq!(ada.get(&media).await.json()["state"], "ready");
        assert_eq!(
            ada.get(&format!("{media}/markup")).await.json()["revision"],
            1
        );
    }
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert_eq!(app.count("SELECT count(*) FROM burns").await, 0);
}
