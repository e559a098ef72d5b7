//! Sign-in without typing, which only `hearback demo` offers.

/// The accounts of a demo. Its sign-in page shows them, and signs a visitor in as the one whose name they press.
#[derive(Clone, Debug)]
pub struct DemoSignIn {
    /// The people, in the order in which the page shows them. Neighbors in the same time zone are shown together.
    pub people: Vec<DemoPerson>,
    /// The password of all of them. The page contains it, so that signing in is the same for a person as in a real
    /// workspace.
    pub password: &'static str,
}

/// An account of a demo.
#[derive(Clone, Debug)]
pub struct DemoPerson {
    /// Name.
    pub name: &'static str,
    /// Email address.
    pub email: String,
    /// IANA name of the time zone.
    pub time_zone: &'static str,
}
