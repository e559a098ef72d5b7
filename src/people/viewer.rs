//! Who sent a request: a signed-in person, a guest of a share link, or nobody.

use super::Role;
use crate::error::{Error, Result};

/// The credential that authenticated a request. Media URLs are signed for this credential, so they
/// stop working when the credential is revoked or expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Browser session, with its id.
    Session(String),
    /// API token, with its id.
    Token(String),
}

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Id of the account.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address for signing in.
    pub email: String,
    /// Role of the account.
    pub role: Role,
    /// IANA time zone name.
    pub time_zone: String,
    /// Credential that authenticated the current request.
    pub grant: Grant,
}

impl Person {
    /// Whether the person is an admin.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Fails with [`Error::Forbidden`] unless the person is an admin.
    pub fn must_be_admin(&self) -> Result<()> {
        if self.is_admin() {
            Ok(())
        } else {
            Err(Error::Forbidden(
                "Only an admin can do this. Ask one of your admins.".into(),
            ))
        }
    }
}

/// A visitor who is known only through a share link.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Id of the guest. It is not stored until the guest has given a name.
    pub id: String,
    /// Name of the guest. `None` until the guest first comments or answers.
    pub name: Option<String>,
    /// Id of the share link through which the guest opened the update.
    pub link_id: String,
    /// Id of the one update that the link opens.
    pub update_id: String,
    /// Whether the link allows comments, reactions and answers.
    pub may_comment: bool,
    /// Whether the client sends the link's secret in the `Authorization` header, as programs do,
    /// instead of a cookie.
    pub is_program: bool,
}

/// The person, guest or visitor who sent a request. All access checks use this type.
#[derive(Clone, Debug)]
pub enum Viewer {
    /// A visitor who is not signed in and has no share link.
    Nobody,
    /// A signed-in person.
    Person(Person),
    /// A guest who has opened one or more share links. Each link has its own [`Guest`].
    Guest(Vec<Guest>),
}

impl Viewer {
    /// Returns the person, or fails with [`Error::Unauthenticated`].
    pub fn person(&self) -> Result<&Person> {
        match self {
            Self::Person(person) => Ok(person),
            Self::Nobody | Self::Guest(_) => Err(Error::Unauthenticated),
        }
    }

    /// Returns the viewer's guest identity for this update. Returns `None` if the viewer has not opened a share link to
    /// the update.
    pub fn guest_of(&self, update_id: &str) -> Option<&Guest> {
        match self {
            // If several links open the same update, prefer a link that allows comments.
            Self::Guest(guests) => guests
                .iter()
                .rev()
                .filter(|guest| guest.update_id == update_id)
                .max_by_key(|guest| guest.may_comment),
            Self::Nobody | Self::Person(_) => None,
        }
    }

    /// Returns the error for a resource that the viewer cannot see. Signed-in people and programs
    /// get `NotFound`. Everyone else gets `Unauthenticated`, because they may be able to see the
    /// resource after signing in.
    pub fn not_visible_error(&self) -> Error {
        match self {
            Self::Person(_) => Error::NotFound,
            Self::Guest(guests) if guests.iter().any(|guest| guest.is_program) => Error::NotFound,
            Self::Nobody | Self::Guest(_) => Error::Unauthenticated,
        }
    }
}
