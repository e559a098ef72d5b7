//! Contexts of the templates about people: accounts, sign-in, invitations, groups and links.

use askama::Template;

use super::{Form, Page};
use crate::config::DemoPerson;
use crate::web::filters;
use crate::web::schema::{
    AccountView, GroupView, InvitationView, ListedLinkView, SessionView, TokenView, WorkspaceView,
};

/// Page that creates the first account. POST /setup: `code`, `name`, `email`, `password`, `time_zone`.
#[derive(Template)]
#[template(path = "people/setup.html")]
pub struct SetupPage {
    /// Layout data.
    pub page: Page,
    /// Values of the form. `code` is the setup code from the query string of the page's address.
    pub form: Form,
}

/// Sign-in page. POST /session: `email`, `password`, `next`.
#[derive(Template)]
#[template(path = "people/sign_in.html")]
pub struct SignInPage {
    /// Layout data.
    pub page: Page,
    /// Values of the form. `next` is the address to open after sign-in.
    pub form: Form,
    /// The people of a demo; `None` in a real workspace.
    pub demo: Option<DemoFaces>,
}

/// The people whom the sign-in page of a demo offers.
pub struct DemoFaces {
    /// The password of all of them.
    pub password: &'static str,
    /// The cities of their time zones, with the people in each.
    pub cities: Vec<(String, Vec<DemoPerson>)>,
}

/// Page that accepts an invitation. POST /invitations/{token}: `name`, `password`, `time_zone`.
#[derive(Template)]
#[template(path = "people/invitation.html")]
pub struct InvitationPage {
    /// Layout data.
    pub page: Page,
    /// Values and errors of the form.
    pub form: Form,
    /// Email address of the invited person.
    pub email: String,
    /// Name of the person who sent the invitation.
    pub invited_by: String,
    /// Rules of the workspace, shown collapsed, and its contact person.
    pub workspace: WorkspaceView,
    /// Address that the form posts to.
    pub action: String,
}

/// Page that turns off email. POST /unsubscribe/{token}.
#[derive(Template)]
#[template(path = "people/unsubscribe.html")]
pub struct UnsubscribePage {
    /// Layout data.
    pub page: Page,
    /// Email address of the person.
    pub email: String,
    /// Whether email to the person is already off.
    pub off: bool,
    /// Address that the form posts to.
    pub action: String,
}

/// Page that resets a password through a link. POST /resets/{token}: `password`.
#[derive(Template)]
#[template(path = "people/reset.html")]
pub struct ResetPage {
    /// Layout data.
    pub page: Page,
    /// Values and errors of the form.
    pub form: Form,
    /// Email address of the account.
    pub email: String,
    /// Address that the form posts to.
    pub action: String,
}

/// People and invitations. PATCH /people/{id}: `role` or `active` (`true`/`false`); POST /people/{id}/reset;
/// POST /invitations: `emails` (separated by line breaks or commas), `role`; DELETE /invitations/{id}.
#[derive(Template)]
#[template(path = "people/index.html")]
pub struct PeoplePage {
    /// Layout data.
    pub page: Page,
    /// One page of accounts, sorted by name.
    pub people: Vec<AccountView>,
    /// Address of the next page of accounts; empty on the last page.
    pub next: String,
    /// Search text; empty if all accounts are listed.
    pub q: String,
    /// Pending invitations, for admins.
    pub invitations: Vec<InvitationView>,
    /// Invitation form, for admins.
    pub form: Form,
    /// New invitations, with `InvitationView::url` set. The links are shown only once.
    pub made: Vec<InvitationView>,
}

/// Every share link of the workspace, for admins. DELETE /links/{id}.
#[derive(Template)]
#[template(path = "people/links.html")]
pub struct LinksPage {
    /// Layout data.
    pub page: Page,
    /// One page of links, newest first.
    pub links: Vec<ListedLinkView>,
    /// Address of the next page with older links; empty on the last page.
    pub next: String,
}

/// Groups page. POST /groups: `name`, `members` (addresses separated by commas); PATCH and DELETE /groups/{id}.
#[derive(Template)]
#[template(path = "people/groups.html")]
pub struct GroupsPage {
    /// Layout data.
    pub page: Page,
    /// All groups, sorted by name.
    pub groups: Vec<GroupView>,
    /// People in the open form, whose names are shown instead of their addresses.
    pub people: Vec<AccountView>,
    /// Values and errors of the form that failed.
    pub form: Form,
    /// Id of the group whose form is open; empty for the form of a new group.
    pub editing: String,
}

impl GroupsPage {
    /// Returns the value to show in a field of a group's form. This is the value that the user entered if the form
    /// failed, and otherwise the stored value `is`.
    pub fn value<'a>(&'a self, id: &str, field: &str, is: &'a str) -> &'a str {
        if self.has_failed(id) {
            self.form.value(field)
        } else {
            is
        }
    }

    /// Returns the error of a field in a group's form.
    pub fn error(&self, id: &str, field: &str) -> &str {
        if self.has_failed(id) {
            self.form.error(field)
        } else {
            ""
        }
    }

    /// Returns whether the form of this group is open.
    pub fn is_open(&self, id: &str) -> bool {
        self.editing == id
    }

    /// Returns the members in the open form, separated by commas. Only people who may change the group have a form.
    pub fn open_members(&self) -> String {
        let mut mine = self.groups.iter().filter(|group| group.mine);
        let open = mine.find(|group| self.is_open(&group.id));
        let stored = open.map_or("", |group| group.emails.as_str());
        self.value(&self.editing, "members", stored).to_owned()
    }

    /// Returns whether the form of this group failed. An empty id stands for the form of a new group.
    pub fn has_failed(&self, id: &str) -> bool {
        self.editing == id && !self.form.errors.is_empty()
    }
}

/// The page "How we work here". Its form sends PATCH /workspace with `rules`, `contact` (an email address) and `due` (a
/// number of working days).
#[derive(Template)]
#[template(path = "people/workspace.html")]
pub struct WorkspacePage {
    /// Layout data.
    pub page: Page,
    /// Rules, contact and default due time.
    pub workspace: WorkspaceView,
    /// Whether to show the form instead of the rules.
    pub edit: bool,
    /// Values and errors of the form.
    pub form: Form,
}

/// Personal settings. PATCH /me: `name`, `email`, `time_zone`, `days` repeated, `from`, `to`, `away_until`,
/// `mail`; PUT /me/password: `current`, `password`; DELETE /sessions/{id}; POST /tokens: `name`; DELETE
/// /tokens/{id}; DELETE /session signs out.
#[derive(Template)]
#[template(path = "people/me.html")]
pub struct MePage {
    /// Layout data.
    pub page: Page,
    /// The viewer's account.
    pub account: AccountView,
    /// Values and errors of all forms on the page. The fields with values are `name`, `email`,
    /// `time_zone`, `days`, `from`, `to`, `away_until`, `mail` and `token_name`. The password
    /// fields have only errors.
    pub form: Form,
    /// IANA time zone names to choose from.
    pub zones: Vec<String>,
    /// The viewer's active sessions.
    pub sessions: Vec<SessionView>,
    /// The viewer's tokens, without their secrets.
    pub tokens: Vec<TokenView>,
}
