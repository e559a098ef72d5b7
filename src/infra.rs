//! Infrastructure for the domain: database, jobs, storage, images, video and email. It does not
//! depend on the domain.

pub mod db;
pub mod images;
pub mod jobs;
pub mod markdown;
pub mod smtp;
pub mod storage;
pub mod video;
