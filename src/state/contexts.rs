//! The parts of the state that jobs use. Each type of job names one of these types as its context.

use super::State;
use crate::media::MediaContext;
use crate::notification_emails::MailContext;
use crate::object_deletion::ObjectContext;
use crate::search::SearchContext;

impl AsRef<SearchContext> for State {
    fn as_ref(&self) -> &SearchContext {
        &self.search
    }
}

impl AsRef<ObjectContext> for State {
    fn as_ref(&self) -> &ObjectContext {
        &self.objects
    }
}

impl AsRef<MediaContext> for State {
    fn as_ref(&self) -> &MediaContext {
        &self.uploads.media
    }
}

impl AsRef<Option<MailContext>> for State {
    fn as_ref(&self) -> &Option<MailContext> {
        &self.mail
    }
}
