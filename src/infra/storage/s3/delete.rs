//! Deletion of objects, including all their versions.

use super::failure::{Failure, classify, into_error};
use super::{S3, ignore_missing, next_page, non_empty};
use crate::error::Result;

impl S3 {
    pub(in crate::infra::storage) async fn delete(&self, key: &str) -> Result<()> {
        self.delete_all_versions(&self.full_key(key)).await
    }

    /// Deletes all objects in a folder.
    pub(in crate::infra::storage) async fn delete_folder(&self, folder: &str) -> Result<()> {
        let prefix = format!("{}/", self.full_key(folder));
        if self.delete_listed_versions(&prefix, |_| true).await? {
            return Ok(());
        }
        let mut more: Option<String> = None;
        loop {
            let list = self
                .client
                .list_objects_v2()
                .bucket(&self.settings.bucket)
                .prefix(&prefix);
            let page = list
                .set_continuation_token(more.clone())
                .send()
                .await
                .map_err(into_error)?;
            for key in page.contents().iter().filter_map(|object| object.key()) {
                self.delete_version(key, None).await?;
            }
            if page.next_continuation_token.is_none() {
                return Ok(());
            }
            more = next_page(&more, page.next_continuation_token)?;
        }
    }

    /// Deletes several objects of one folder, listing the folder only once.
    pub(in crate::infra::storage) async fn delete_in_folder(
        &self,
        folder: &str,
        keys: &[&str],
    ) -> Result<()> {
        let names: Vec<String> = keys.iter().map(|key| self.full_key(key)).collect();
        if self
            .delete_listed_versions(&format!("{}/", self.full_key(folder)), |name| {
                names.iter().any(|wanted| wanted == name)
            })
            .await?
        {
            return Ok(());
        }
        for name in names {
            self.delete_version(&name, None).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_all_versions(&self, key: &str) -> Result<()> {
        if !self.delete_listed_versions(key, |name| name == key).await?
            && self.head_length(key).await?.is_some()
        {
            self.delete_version(key, None).await?;
        }
        Ok(())
    }

    /// Deletes one version of the object with the full name `name`. Without an id, deletes the
    /// current version. A missing version is not an error.
    async fn delete_version(&self, name: &str, id: Option<&str>) -> Result<()> {
        let delete = self
            .client
            .delete_object()
            .bucket(&self.settings.bucket)
            .key(name);
        ignore_missing(delete.set_version_id(id.and_then(non_empty)).send().await)
    }

    /// Deletes the versions and delete markers under `prefix` whose name `wanted` accepts. Deletes
    /// them by id, because a plain delete in a versioned bucket only adds a marker. Returns `false`
    /// if the server listed none. In that case, an object may still exist, because not every server
    /// lists versions.
    async fn delete_listed_versions(
        &self,
        prefix: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<bool> {
        let bucket = &self.settings.bucket;
        let mut listed = false;
        let mut markers: (Option<String>, Option<String>) = (None, None);
        loop {
            let list = self
                .client
                .list_object_versions()
                .bucket(bucket)
                .prefix(prefix);
            let page = match list
                .set_key_marker(markers.0.clone())
                .set_version_id_marker(markers.1.clone())
                .send()
                .await
            {
                Ok(page) => page,
                Err(error) if classify(&error) == Failure::NotImplemented => return Ok(false),
                Err(error) => return Err(into_error(error)),
            };
            let versions = page
                .versions()
                .iter()
                .map(|version| (version.key(), version.version_id()));
            let deletions = page
                .delete_markers()
                .iter()
                .map(|marker| (marker.key(), marker.version_id()));
            for (name, id) in versions.chain(deletions) {
                let Some(name) = name.filter(|name| wanted(name)) else {
                    continue;
                };
                listed = true;
                self.delete_version(name, id).await?;
            }
            if !page.is_truncated().unwrap_or(false) || page.next_key_marker().is_none() {
                return Ok(listed);
            }
            let next = (page.next_key_marker, page.next_version_id_marker);
            markers = next_page(&markers, next)?;
        }
    }
}
