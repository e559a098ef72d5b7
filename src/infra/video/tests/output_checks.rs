//! Copies that do not show what the source shows are rejected.

use super::*;

#[tokio::test]
async fn converted_copy_of_the_wrong_length_is_rejected() {
    let tools = tools().await;
    let toolchain = tools.toolchain().unwrap();
    let path = fixture("count.mp4");
    let length = tools.probe(&path).await.unwrap().duration_ms.unwrap();
    for (expected, good) in [
        (length, true),
        (length + 90, true),
        (length + 150, false),
        (length - 150, false),
    ] {
        let made =
            check_output::checked_output(toolchain, path.clone(), Container::Mp4, Some(expected))
                .await;
        assert_eq!(made.is_ok(), good, "{expected}: {made:?}");
    }
}

#[tokio::test]
async fn converted_copy_is_rejected_when_its_edit_list_hides_frames() {
    let tools = tools().await;
    let path = fixture("editlist-hidden5s.mp4");
    let made = check_output::checked_output(
        tools.toolchain().unwrap(),
        path,
        Container::Mp4,
        Some(3_000),
    )
    .await;
    assert!(matches!(made, Err(Error::Unsupported(_))), "{made:?}");
}

#[tokio::test]
async fn exact_copy_is_rejected_when_it_is_too_short_or_hides_frames() {
    let tools = tools().await;
    let toolchain = tools.toolchain().unwrap();
    for (name, container) in [
        ("count.mp4", Container::Mp4),
        ("count.webm", Container::WebM),
    ] {
        let source = tools.probe(&fixture(name)).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let copy = tools
            .seekable(&fixture(name), &source, dir.path())
            .await
            .unwrap();
        let longer = Probe {
            duration_ms: source.duration_ms.map(|duration| duration + 150),
            ..source.clone()
        };
        for (source, good) in [(&source, true), (&longer, false)] {
            let path = copy.path.clone();
            let made = check_output::checked_copy(toolchain, path, container, source).await;
            assert_eq!(made.is_ok(), good, "{name}: {made:?}");
        }
    }
    let hiding = fixture("editlist-hidden5s.mp4");
    let source = tools.probe(&hiding).await.unwrap();
    let made = check_output::checked_copy(toolchain, hiding, Container::Mp4, &source).await;
    assert!(matches!(made, Err(Error::Unsupported(_))), "{made:?}");
}
