//! Objections: where recipients who object stand, and how the author hears about it.

use serde_json::json;

use super::{counts, page, publish};
use crate::app::{TestApp, array, email, update_path};
use crate::readbacks::receipt;

#[actix_web::test]
async fn objection_has_its_own_section_and_does_not_count_as_heard() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = publish(&ada, "acknowledge", &["Bob", "Cyd"]).await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    let objection = json!({ "reason": "we have spent it already" });
    let decline = format!("{path}/decline");
    bob.json("PUT", &decline, &objection).await.expect(200);
    let seen = counts(&ada, &path).await;
    assert_eq!(
        [
            &seen["heard"],
            &seen["objections"],
            &seen["acknowledged"],
            &seen["owing"]
        ],
        [0, 1, 0, 1]
    );
    let html = page(&app, "Ada", &format!("{path}/receipts")).await;
    let from = html
        .find("id=\"objections\"")
        .expect("no section of objections");
    let section = &html[from..from + html[from..].find("</section>").unwrap()];
    for shown in ["we have spent it already", "@Bob", "action=\"/updates/"] {
        assert!(section.contains(shown), "{shown}: {section}");
    }
    let before = &html[..from];
    assert_eq!(
        before.matches("<details").count(),
        before.matches("</details>").count(),
        "the section is folded: {html}"
    );
    assert!(!html.contains("id=\"heard\""), "{html}");
    assert!(html.contains("0 of 2 heard. 1 objects."), "{html}");
    let others = receipt(&cyd, &path, &bob.id).await;
    assert_eq!(others["reason"], "we have spent it already");
}

#[actix_web::test]
async fn objection_outranks_a_mention_in_the_inbox_but_both_are_shown() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "acknowledge", &["Bob"]).await;
    let objection = json!({ "reason": "we have spent it already" });
    let decline = format!("{path}/decline");
    bob.json("PUT", &decline, &objection).await.expect(200);
    app.state.clock.advance(1000);
    bob.comment(&path, "@Ada, please look").await;
    let entry = ada.get("/inbox").await.json()["said_to_me"][0].clone();
    assert_eq!(
        (&entry["why"], &entry["by"], &entry["objection"]),
        (
            &json!("declined"),
            &json!("Bob"),
            &json!("we have spent it already")
        )
    );
    assert!(array(&entry["also"]).contains(&json!("mention")), "{entry}");
    let html = page(&app, "Ada", "/inbox").await;
    for shown in [
        "<bdi>Bob</bdi> objects",
        "we have spent it already",
        "you were mentioned",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}

#[actix_web::test]
async fn objections_of_one_person_to_two_updates_are_announced_separately() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let paths = [
        publish(&ada, "acknowledge", &["Bob"]).await,
        publish(&ada, "acknowledge", &["Bob"]).await,
    ];
    for (path, reason) in paths.iter().zip(["too early", "too dear"]) {
        let decline = format!("{path}/decline");
        bob.json("PUT", &decline, &json!({ "reason": reason }))
            .await
            .expect(200);
        let said = ada.get("/inbox").await.json()["said_to_me"].clone();
        assert_eq!(array(&said).len(), 1, "{said}");
        assert_eq!(
            (&said[0]["why"], &said[0]["objection"]),
            (&json!("declined"), &json!(reason))
        );
        assert_eq!(update_path(&said[0]["update"]), *path);
        ada.put(&format!("{path}/opening")).await.expect(204);
    }
}

#[actix_web::test]
async fn objection_that_no_longer_stands_is_not_in_the_inbox() {
    let app = TestApp::start().await;
    let [ada, bob, _cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    for change in [
        json!({ "audience": [email("Cyd")] }),
        json!({ "notes": "Later", "change": "material" }),
    ] {
        let path = publish(&ada, "acknowledge", &["Bob", "Cyd"]).await;
        let decline = format!("{path}/decline");
        bob.json("PUT", &decline, &json!({ "reason": "too early" }))
            .await
            .expect(200);
        let said = async || ada.get("/inbox").await.json()["said_to_me"].clone();
        assert_eq!(said().await[0]["why"], "declined");
        ada.patch(&path, change.clone()).await.expect(200);
        assert_eq!(said().await, json!([]), "{change}");
    }
}
