//! Schemas of browser sessions and API tokens.

use serde::Serialize;

/// A browser session of the viewer.
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    /// Id of the session.
    pub id: String,
    /// Name of the browser and of the operating system.
    pub browser: String,
    /// When the session started.
    pub created_at: String,
    /// When the session was last used.
    pub last_seen_at: String,
    /// Whether the current request uses this session.
    pub current: bool,
}

/// An API token of the viewer.
#[derive(Clone, Debug, Serialize)]
pub struct TokenView {
    /// Id of the token.
    pub id: String,
    /// Name that the owner gave the token.
    pub name: String,
    /// When the token was created.
    pub created_at: String,
    /// When the token was last used.
    pub last_used_at: Option<String>,
    /// Secret of the token; only in the response that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}
