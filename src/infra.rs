//! What the domain stands on: the database, jobs, storage, images, video and mail. Nothing here knows the domain.

pub mod db;
pub mod images;
pub mod jobs;
pub mod markdown;
pub mod smtp;
pub mod storage;
pub mod video;
