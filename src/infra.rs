//! Infrastructure that the domain uses: database, jobs, storage, images, video and email. The
//! infrastructure does not depend on the domain.

pub mod db;
mod hdr;
pub mod html_diff;
pub mod images;
pub mod jobs;
pub mod markdown;
pub mod smtp;
pub mod storage;
pub mod video;
