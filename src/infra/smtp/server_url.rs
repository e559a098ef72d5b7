//! The address of the mail server, its encryption and its credentials.

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::Result;

/// How the connection to the server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// Not encrypted.
    None,
    /// Encrypted with STARTTLS if the server offers it.
    Opportunistic,
    /// Encrypted with STARTTLS. Sending fails if the server does not offer it.
    Required,
    /// Encrypted with TLS from the first byte.
    Implicit,
}

/// The mail server. Its `Debug` output contains no secrets.
#[derive(Clone, Debug)]
pub struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: TlsMode,
    pub(super) credentials: Option<Credentials>,
}

impl Server {
    /// Parses `smtps://USER:PASSWORD@HOST[:PORT]` or `smtp://…[?tls=required|opportunistic]`. The
    /// error does not repeat the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| format!("is not a URL. {EXAMPLE}"))?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| format!("has no host. {EXAMPLE}"))?;
        let (mode, port) = tls_mode(&url)?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(format!("must not have a path. {EXAMPLE}"));
        }
        let credentials = credentials(&url)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let is_local = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        // Opportunistic STARTTLS does not protect a password, because an attacker can suppress the
        // server's offer.
        let is_encrypted = matches!(mode, TlsMode::Required | TlsMode::Implicit);
        if credentials.is_some() && !is_encrypted && !is_local {
            return Err(
                "must use TLS, because it contains a password. For example: `smtps://…` or \
                 `smtp://…?tls=required`."
                    .into(),
            );
        }
        Ok(Self {
            port: url.port().unwrap_or(port),
            host,
            tls: mode,
            credentials,
        })
    }
}

const EXAMPLE: &str = "For example: `smtps://USER:PASSWORD@mail.example.org` or \
                       `smtp://mail.example.org?tls=required`.";

/// Returns how connections are encrypted, and the default port.
fn tls_mode(url: &Url) -> Result<(TlsMode, u16), String> {
    let tls: Vec<_> = url.query_pairs().collect();
    Ok(match (url.scheme(), tls.as_slice()) {
        ("smtps", []) => (TlsMode::Implicit, 465),
        ("smtp", []) => (TlsMode::None, 25),
        ("smtp", [(name, value)]) if name == "tls" && value == "required" => {
            (TlsMode::Required, 587)
        }
        ("smtp", [(name, value)]) if name == "tls" && value == "opportunistic" => {
            (TlsMode::Opportunistic, 587)
        }
        ("smtp", _) => {
            return Err(format!(
                "has an unknown query string; only `tls=required` and `tls=opportunistic` are allowed. {EXAMPLE}"
            ));
        }
        ("smtps", _) => {
            return Err(format!(
                "must not have a query string if it starts with `smtps://`. {EXAMPLE}"
            ));
        }
        _ => {
            return Err(format!(
                "must start with `smtps://` or `smtp://`. {EXAMPLE}"
            ));
        }
    })
}

fn credentials(url: &Url) -> Result<Option<Credentials>, String> {
    let decoded = |part: &str| {
        percent_decode_str(part)
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| {
                "has a user name or password that is not valid percent-encoded UTF-8.".to_owned()
            })
    };
    Ok(match (url.username(), url.password()) {
        ("", None) => None,
        (user, Some(password)) if !user.is_empty() => {
            Some(Credentials::new(decoded(user)?, decoded(password)?))
        }
        _ => {
            return Err(format!(
                "must have both a user name and a password, or neither. {EXAMPLE}"
            ));
        }
    })
}
