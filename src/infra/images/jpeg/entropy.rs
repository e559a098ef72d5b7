//! Reads entropy-coded data (T.81, annexes C and F) without computing pixels.

/// An unfinished copy of a file can end in zeros. If any of these zeros, but at most this many,
/// were read as pixel data, pixels count as missing. If more were read, the zeros count as real
/// data, because the data of a single-color area can end in many zeros.
const MAX_COPIED_ZEROS: usize = 3;

/// Reads the bits of a scan.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// The position of the next byte.
    position: usize,
    byte: u8,
    /// How many bits of `byte` are unread.
    unread: u32,
    /// Where the zeros at the end of the file begin.
    zeros: usize,
    /// Whether a coefficient other than zero was read from the zeros at the end of the file.
    coefficients_from_zeros: bool,
}

impl<'a> BitReader<'a> {
    /// `position` is where the data of the scan begins.
    pub(super) fn new(bytes: &'a [u8], position: usize) -> Self {
        let zeros = match bytes.iter().rposition(|byte| *byte != 0) {
            // The zero after 0xFF belongs to that byte (byte stuffing).
            Some(last) if bytes[last] == 0xff => last + 2,
            Some(last) => last + 1,
            None => 0,
        };
        Self {
            bytes,
            position,
            byte: 0,
            unread: 0,
            zeros,
            coefficients_from_zeros: false,
        }
    }

    /// Reads the next bit. Returns `None` at a marker and at the end of the file.
    pub(super) fn bit(&mut self) -> Option<u16> {
        if self.unread == 0 {
            (self.byte, self.position) = match self.bytes.get(self.position..)? {
                [0xff, 0x00, ..] => (0xff, self.position + 2),
                [0xff, ..] | [] => return None,
                [byte, ..] => (*byte, self.position + 1),
            };
            self.unread = 8;
        }
        self.unread -= 1;
        Some(u16::from(self.byte >> self.unread & 1))
    }

    pub(super) fn bits(&mut self, count: u8) -> Option<u16> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | self.bit()?;
        }
        Some(value)
    }

    /// Skips the bits that contain the value of a coefficient.
    pub(super) fn skip_coefficient(&mut self, size: u8) -> Option<()> {
        self.coefficients_from_zeros |= size > 0 && self.position > self.zeros;
        self.bits(size).map(drop)
    }

    /// Skips the rest of the current byte and the restart marker after it.
    pub(super) fn skip_restart_marker(&mut self) -> Option<()> {
        self.unread = 0;
        while self.bytes.get(self.position + 1) == Some(&0xff) {
            self.position += 1;
        }
        let [0xff, 0xd0..=0xd7] = self.bytes.get(self.position..self.position + 2)? else {
            return None;
        };
        self.position += 2;
        Some(())
    }

    /// The position after the data that has been read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Whether the reader seems to have read bytes that do not belong to the scan, which happens if
    /// the scan is cut off. There are two signs. First, the unread bits of the last byte are not
    /// all ones, although encoders fill the last byte of a scan with ones. Second, coefficients, or
    /// only a few bytes, were read from the zeros at the end of the file.
    pub(super) fn has_read_other_bytes(&self) -> bool {
        let padding = (1 << self.unread) - 1;
        match self.bytes.get(self.position..) {
            None | Some([] | [0xff, ..]) => false,
            _ => {
                let zeros = self.position.saturating_sub(self.zeros);
                self.byte & padding != padding
                    || self.coefficients_from_zeros
                    || (1..=MAX_COPIED_ZEROS).contains(&zeros)
            }
        }
    }
}

/// A Huffman table.
pub(super) struct HuffmanTable<'a> {
    /// The number of codes of each length from 1 to 16 bits.
    counts: [u8; 16],
    values: &'a [u8],
}

impl<'a> HuffmanTable<'a> {
    /// Reads a table from the content of a DHT segment (B.2.4.2) and returns it with the rest of
    /// the segment.
    pub(super) fn read(content: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&counts, rest) = content.split_first_chunk::<16>()?;
        let count = counts.iter().map(|count| usize::from(*count)).sum();
        let (values, rest) = rest.split_at_checked(count)?;
        Some((Self { counts, values }, rest))
    }

    /// Reads a value. Returns `None` at the end of the data and for an invalid code.
    pub(super) fn value(&self, reader: &mut BitReader<'_>) -> Option<u8> {
        // `first` is the first code of this length, and `index` the index of its value.
        let (mut code, mut first, mut index) = (0_u32, 0_u32, 0_u32);
        for count in self.counts.map(u32::from) {
            code = code << 1 | u32::from(reader.bit()?);
            let offset = code.checked_sub(first)?;
            if offset < count {
                return self.values.get((index + offset) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
        }
        None
    }
}

/// Skips a block of a sequential JPEG (F.2.2).
pub(super) fn skip_block(
    reader: &mut BitReader<'_>,
    dc: &HuffmanTable<'_>,
    ac: &HuffmanTable<'_>,
) -> Option<()> {
    skip_dc(reader, dc)?;
    let mut index = 1;
    while index < 64 {
        let (zeros, size) = run_and_size(ac.value(reader)?);
        match (zeros, size) {
            (15, 0) => {}
            (_, 0) => break,
            _ => reader.skip_coefficient(size)?,
        }
        index += zeros + 1;
    }
    Some(())
}

/// Skips the first coefficient of a block.
pub(super) fn skip_dc(reader: &mut BitReader<'_>, table: &HuffmanTable<'_>) -> Option<()> {
    let size = table.value(reader)?;
    reader.skip_coefficient(size)
}

/// Splits a value of an AC table into the number of zeros before a coefficient, and the size of the
/// coefficient in bits.
pub(super) fn run_and_size(value: u8) -> (u8, u8) {
    (value >> 4, value & 0x0f)
}
