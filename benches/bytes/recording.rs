//! A file that looks like a recording from a browser.

/// The first bytes of a WebM file: the EBML header and the start of a segment of unknown length.
const HEAD: &[u8] = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\
    \x42\x82\x84webm\x42\x87\x81\x04\x42\x85\x81\x02\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff";
/// The start of a cluster of 1 MiB, which contains its time and one block.
const CLUSTER: &[u8] =
    b"\x1f\x43\xb6\x75\x10\x0f\xff\xf8\xe7\x81\x00\xa3\x10\x0f\xff\xf1\x81\x00\x00\x80";

/// A recording: [`HEAD`] and a number of clusters of 1 MiB, whose content cannot be compressed.
pub(crate) struct Recording {
    cluster: Vec<u8>,
    count: usize,
}

impl Recording {
    pub(crate) fn new(mebibytes: usize) -> Self {
        let mut cluster = CLUSTER.to_vec();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        while cluster.len() < 1 << 20 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            cluster.extend_from_slice(&random.to_le_bytes());
        }
        cluster.truncate(1 << 20);
        Self {
            cluster,
            count: mebibytes,
        }
    }

    pub(crate) fn len(&self) -> u64 {
        (HEAD.len() + self.count * self.cluster.len()) as u64
    }

    /// The content, in pieces.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(HEAD).chain(std::iter::repeat_n(self.cluster.as_slice(), self.count))
    }
}
