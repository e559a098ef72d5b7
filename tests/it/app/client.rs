//! An HTTP client for tests.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::Response;

/// An HTTP client for a person, a guest with a share link, or an anonymous visitor.
#[derive(Clone)]
pub struct Client {
    base: String,
    /// The id of the person if `TestApp::person` or `TestApp::admin` created the client; otherwise
    /// empty.
    pub id: String,
    headers: HeaderMap,
    http: reqwest::Client,
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .cookie_store(true)
        .build()
        .unwrap()
}

impl Client {
    /// Creates a client for the server at this address.
    pub fn at(base: &str) -> Self {
        Self {
            base: base.into(),
            id: String::new(),
            headers: HeaderMap::new(),
            http: http(),
        }
    }

    pub fn bearer(mut self, token: &str) -> Self {
        self.headers.insert(
            "authorization",
            HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
        );
        self
    }

    /// Returns the value of the client's `Authorization` header, for tests that write requests directly to a socket.
    pub fn authorization(&self) -> &str {
        self.headers["authorization"].to_str().unwrap()
    }

    /// Returns a client for the same person that sends its requests to another server.
    pub fn with_base(&self, base: &str) -> Self {
        Self {
            base: base.into(),
            ..self.clone()
        }
    }

    pub fn accept(mut self, media_types: &str) -> Self {
        self.headers
            .insert("accept", HeaderValue::from_str(media_types).unwrap());
        // Browsers send this header with the forms of Hearback's own pages. The server rejects a form that has a
        // cookie but not this header.
        self.headers
            .insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        self.http
            .request(Method::from_bytes(method.as_bytes()).unwrap(), url)
            .headers(self.headers.clone())
    }

    pub async fn get(&self, path: &str) -> Response {
        Response::fetch(self.request("GET", path)).await
    }

    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Response {
        Response::fetch(self.request(method, path).json(body)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.json("POST", path, &body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Response {
        self.json("PATCH", path, &body).await
    }

    pub async fn put(&self, path: &str) -> Response {
        Response::fetch(self.request("PUT", path)).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        Response::fetch(self.request("DELETE", path)).await
    }

    pub async fn form(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        Response::fetch(self.request(method, path).form(fields)).await
    }

    /// Posts a multipart form. Each of `files` has a field name, a file name and the contents.
    pub async fn upload(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, Vec<u8>)],
    ) -> Response {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        for (field, file_name, bytes) in files {
            form = form.part(
                (*field).to_owned(),
                reqwest::multipart::Part::bytes(bytes.clone()).file_name((*file_name).to_owned()),
            );
        }
        Response::fetch(self.request("POST", path).multipart(form)).await
    }
}

impl Client {
    /// Creates an update with these fields and returns its path. Publishes the update unless the fields set `publish`
    /// to false.
    pub async fn update(&self, mut fields: Value) -> String {
        if fields.get("publish").is_none() {
            fields["publish"] = true.into();
        }
        format!("/updates/{}", self.create("/updates", fields).await)
    }

    /// Comments on the update at this path and returns the id of the comment.
    pub async fn comment(&self, update: &str, body: &str) -> String {
        let fields = json!({ "body": body });
        self.create(&format!("{update}/comments"), fields).await
    }

    /// Asks a question about the update at this path and returns the id of the comment.
    pub async fn question(&self, update: &str, body: &str) -> String {
        let fields = json!({ "body": body, "kind": "question" });
        self.create(&format!("{update}/comments"), fields).await
    }

    /// Replies to a comment on the update at this path and returns the id of the reply.
    pub async fn reply(&self, update: &str, parent: &str, body: &str) -> String {
        let fields = json!({ "body": body, "parent_id": parent });
        self.create(&format!("{update}/comments"), fields).await
    }

    /// Posts the fields and returns the `id` in the response.
    async fn create(&self, path: &str, fields: Value) -> String {
        let created = self.post(path, fields).await.expect(201).json();
        created["id"].as_str().unwrap().to_owned()
    }

    /// Creates a share link to the update at this path and returns its id and its token.
    pub async fn share(&self, update: &str, comments: bool) -> (String, String) {
        let fields = json!({ "name": "For the board", "comments": comments });
        let link = self
            .post(&format!("{update}/links"), fields)
            .await
            .expect(201)
            .json();
        let (_, token) = link["url"].as_str().unwrap().rsplit_once('/').unwrap();
        (link["id"].as_str().unwrap().to_owned(), token.to_owned())
    }
}
