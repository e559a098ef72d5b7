//! Reads the blocks of a progressive JPEG (T.81, annex G) without computing pixels.

use super::entropy::{BitReader, HuffmanTable, run_and_size};

/// Reads blocks of one scan. The scan contains the coefficients from `first` to `last`.
pub(super) struct AcScan<'a> {
    pub(super) table: &'a HuffmanTable<'a>,
    pub(super) first: u8,
    pub(super) last: u8,
    /// How many of the next blocks have no further coefficients in this scan.
    empty_blocks: u32,
}

impl<'a> AcScan<'a> {
    pub(super) fn new(table: &'a HuffmanTable<'a>, first: u8, last: u8) -> Self {
        Self {
            table,
            first,
            last,
            empty_blocks: 0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.empty_blocks = 0;
    }

    /// Skips a block in the first scan of these coefficients (G.1.2.2). In `known`, sets the bit of
    /// each coefficient that is not zero.
    pub(super) fn skip_first(&mut self, reader: &mut BitReader<'_>, known: &mut u64) -> Option<()> {
        if self.empty_blocks > 0 {
            self.empty_blocks -= 1;
            return Some(());
        }
        let mut index = self.first;
        while index <= self.last {
            let (zeros, size) = run_and_size(self.table.value(reader)?);
            if size == 0 && zeros < 15 {
                self.empty_blocks = run_of_empty_blocks(reader, zeros)? - 1;
                break;
            }
            index += zeros;
            if size > 0 {
                reader.skip_coefficient(size)?;
                *known |= bit(index);
            }
            index += 1;
        }
        Some(())
    }

    /// Skips a block in a scan that adds one bit of precision to these coefficients (G.1.2.3). In
    /// `known`, sets the bit of each coefficient that becomes nonzero.
    pub(super) fn skip_refinement(
        &mut self,
        reader: &mut BitReader<'_>,
        known: &mut u64,
    ) -> Option<()> {
        let mut index = self.first;
        while index <= self.last && self.empty_blocks == 0 {
            let (zeros, size) = run_and_size(self.table.value(reader)?);
            if size == 0 && zeros < 15 {
                self.empty_blocks = run_of_empty_blocks(reader, zeros)?;
                break;
            }
            reader.skip_coefficient(size)?;
            index = self.skip_zeros(reader, index, zeros, *known)?;
            if size > 0 {
                *known |= bit(index);
            }
            index += 1;
        }
        if self.empty_blocks > 0 {
            // Even an empty block contains one bit for each known coefficient.
            self.skip_zeros(reader, index, u8::MAX, *known)?;
            self.empty_blocks -= 1;
        }
        Some(())
    }

    /// Skips `zeros` coefficients that are zero. Reads one bit for each known coefficient on the way. Returns the index
    /// of the next coefficient that is zero, or the index after `last`.
    fn skip_zeros(
        &self,
        reader: &mut BitReader<'_>,
        mut index: u8,
        mut zeros: u8,
        known: u64,
    ) -> Option<u8> {
        while index <= self.last {
            if known & bit(index) != 0 {
                reader.bit()?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            index += 1;
        }
        Some(index)
    }
}

/// Reads how many blocks have no further coefficients, including this one.
fn run_of_empty_blocks(reader: &mut BitReader<'_>, exponent: u8) -> Option<u32> {
    Some((1 << exponent) + u32::from(reader.bits(exponent)?))
}

/// Returns the bit that stands for a coefficient in `known`, or zero if the index is out of range.
fn bit(index: u8) -> u64 {
    1_u64.checked_shl(index.into()).unwrap_or_default()
}
