//! Finds the end of the last scan of a JPEG (T.81, annex B).

use super::entropy::{BitReader, HuffmanTable, skip_block, skip_dc};
use super::progressive::AcScan;
use super::{END_OF_IMAGE, START_OF_IMAGE, START_OF_SCAN, Segments};
use crate::infra::images::check_size;

const HUFFMAN_TABLES: u8 = 0xc4;
const RESTART_INTERVAL: u8 = 0xdd;
/// The number of coefficients in a block.
const COEFFICIENTS: usize = 64;
/// The maximum number of scans. The decoder has the same limit. Without it, a small file could take
/// a very long time to read, because a scan of a few bytes can cover all blocks.
const MAX_SCANS: usize = 100;

/// Returns the position after the data of all pixels. Returns `None` if pixels are missing or the picture exceeds the
/// limits. Also returns `None` for arithmetic coding, which the decoder does not support either.
pub(super) fn end_of_pixels(bytes: &[u8]) -> Option<usize> {
    let mut segments = Segments::new(bytes);
    let mut frame: Option<Frame> = None;
    let mut tables = Tables::default();
    let mut scans = 0;
    while let Some((marker, content)) = segments.next() {
        match marker {
            0xc0..=0xc2 => frame = Some(Frame::read(content, marker == 0xc2)?),
            HUFFMAN_TABLES => tables.add(content)?,
            RESTART_INTERVAL => {
                tables.restart_interval = u16::from_be_bytes(*content.first_chunk()?).into();
            }
            START_OF_SCAN => {
                scans += 1;
                let frame = frame.as_mut()?;
                let mut reader = BitReader::new(bytes, segments.position);
                frame.skip_scan(&Scan::read(content)?, &tables, &mut reader)?;
                if frame.is_complete() {
                    return (!reader.has_read_other_bytes()).then_some(reader.position());
                }
                segments.position = reader.position();
            }
            START_OF_IMAGE | END_OF_IMAGE => return None,
            _ => {}
        }
        if scans == MAX_SCANS {
            return None;
        }
    }
    None
}

/// The tables and parameters that apply to the next scan.
#[derive(Default)]
struct Tables<'a> {
    dc: [Option<HuffmanTable<'a>>; 4],
    ac: [Option<HuffmanTable<'a>>; 4],
    /// The number of units (MCUs) between two restart markers, or 0 if there are no restart markers.
    restart_interval: usize,
}

impl<'a> Tables<'a> {
    fn add(&mut self, mut content: &'a [u8]) -> Option<()> {
        while let Some((head, rest)) = content.split_first() {
            let (table, rest) = HuffmanTable::read(rest)?;
            let tables = if head >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            *tables.get_mut(usize::from(head & 0x0f))? = Some(table);
            content = rest;
        }
        Some(())
    }

    fn dc(&self, number: usize) -> Option<&HuffmanTable<'a>> {
        self.dc.get(number)?.as_ref()
    }

    fn ac(&self, number: usize) -> Option<&HuffmanTable<'a>> {
        self.ac.get(number)?.as_ref()
    }

    fn restarts_before(&self, unit: usize) -> bool {
        self.restart_interval > 0 && unit > 0 && unit.is_multiple_of(self.restart_interval)
    }
}

/// The header of a scan (B.2.3).
struct Scan {
    /// The id of each component, and the numbers of its DC and AC tables.
    components: Vec<(u8, usize, usize)>,
    first: u8,
    last: u8,
    /// Whether the scan adds a bit to coefficients of earlier scans.
    refines: bool,
    /// Whether later scans add bits to the coefficients of this scan.
    is_refined: bool,
}

impl Scan {
    fn read(content: &[u8]) -> Option<Self> {
        let (&count, rest) = content.split_first()?;
        let (components, rest) = rest.split_at_checked(usize::from(count) * 2)?;
        let [first, last, bits] = *rest.first_chunk()?;
        let components = components.chunks_exact(2).map(|component| {
            let (dc, ac) = (component[1] >> 4, component[1] & 0x0f);
            (component[0], dc.into(), ac.into())
        });
        Some(Self {
            components: components.collect(),
            first,
            last,
            refines: bits >> 4 != 0,
            is_refined: bits & 0x0f != 0,
        })
    }
}

/// A color component, such as brightness.
struct Component {
    id: u8,
    /// How many blocks of this component a unit (MCU) contains: horizontally and vertically.
    sampling: (usize, usize),
    /// How many blocks of this component the picture contains: horizontally and vertically. Does
    /// not count blocks that only pad a unit.
    size: (usize, usize),
    /// For each block of a progressive JPEG, the coefficients that are not zero, one bit for each.
    known: Vec<u64>,
    /// For each coefficient, whether the scans read so far contain all of its bits.
    complete: [bool; COEFFICIENTS],
}

/// The header of a frame (B.2.2), and which coefficients its scans have contained so far.
struct Frame {
    progressive: bool,
    components: Vec<Component>,
    /// How many units (MCUs) the picture contains: horizontally and vertically.
    units: (usize, usize),
}

impl Frame {
    fn read(content: &[u8], progressive: bool) -> Option<Self> {
        let [_, h0, h1, w0, w1, count] = *content.first_chunk()?;
        if !(1..=4).contains(&count) {
            return None;
        }
        let (width, height) = (u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
        check_size(width.into(), height.into()).ok()?;
        let (width, height) = (usize::from(width), usize::from(height));
        let components: Vec<_> = content
            .get(6..6 + 3 * usize::from(count))?
            .chunks_exact(3)
            .map(|component| {
                let sampling = usize::from(component[1]);
                (component[0], (sampling >> 4, sampling & 0x0f))
            })
            .collect();
        let across = components.iter().map(|(_, sampling)| sampling.0).max()?;
        let down = components.iter().map(|(_, sampling)| sampling.1).max()?;
        if !components
            .iter()
            .all(|(_, (x, y))| (1..=4).contains(x) && (1..=4).contains(y))
        {
            return None;
        }
        let units = (width.div_ceil(8 * across), height.div_ceil(8 * down));
        let component = |(id, sampling): (u8, (usize, usize))| {
            let size = (
                (width * sampling.0).div_ceil(across).div_ceil(8),
                (height * sampling.1).div_ceil(down).div_ceil(8),
            );
            Component {
                id,
                sampling,
                size,
                known: vec![0; if progressive { size.0 * size.1 } else { 0 }],
                complete: [false; COEFFICIENTS],
            }
        };
        Some(Self {
            progressive,
            components: components.into_iter().map(component).collect(),
            units,
        })
    }

    /// Whether the scans read so far contain all bits of all coefficients.
    fn is_complete(&self) -> bool {
        let mut coefficients = self
            .components
            .iter()
            .flat_map(|component| component.complete);
        coefficients.all(|complete| complete)
    }

    /// Reads a scan, and records which coefficients it completes.
    fn skip_scan(
        &mut self,
        scan: &Scan,
        tables: &Tables<'_>,
        reader: &mut BitReader<'_>,
    ) -> Option<()> {
        let range = if self.progressive {
            usize::from(scan.first)..=usize::from(scan.last)
        } else {
            0..=COEFFICIENTS - 1
        };
        let is_complete = !(self.progressive && scan.is_refined);
        for (id, ..) in &scan.components {
            let coefficients = self.component(*id)?.complete.get_mut(range.clone())?;
            coefficients.fill(is_complete);
        }
        if self.progressive && scan.first > 0 {
            self.skip_ac_scan(scan, tables, reader)
        } else {
            self.skip_units(scan, tables, reader)
        }
    }

    fn component(&mut self, id: u8) -> Option<&mut Component> {
        self.components
            .iter_mut()
            .find(|component| component.id == id)
    }

    /// Reads a scan whose units can contain blocks of several components. In a sequential JPEG, that is every scan. In
    /// a progressive JPEG, it is a scan of first coefficients.
    fn skip_units(
        &mut self,
        scan: &Scan,
        tables: &Tables<'_>,
        reader: &mut BitReader<'_>,
    ) -> Option<()> {
        let mut unit = Vec::new();
        let mut units = self.units;
        for (id, dc, ac) in &scan.components {
            let progressive = self.progressive;
            let component = self.component(*id)?;
            let block = match (progressive, scan.refines) {
                (false, _) => Block::Sequential(tables.dc(*dc)?, tables.ac(*ac)?),
                (true, false) => Block::Dc(tables.dc(*dc)?),
                (true, true) => Block::DcRefinement,
            };
            if scan.components.len() == 1 {
                units = component.size;
                unit.push(block);
            } else {
                unit.extend([block].repeat(component.sampling.0 * component.sampling.1));
            }
        }
        for index in 0..units.0 * units.1 {
            if tables.restarts_before(index) {
                reader.skip_restart_marker()?;
            }
            for block in &unit {
                block.skip(reader)?;
            }
        }
        Some(())
    }

    /// Reads a scan of a progressive JPEG that does not contain first coefficients. Such a scan contains only one
    /// component.
    fn skip_ac_scan(
        &mut self,
        scan: &Scan,
        tables: &Tables<'_>,
        reader: &mut BitReader<'_>,
    ) -> Option<()> {
        let [(id, _, ac)] = *scan.components.as_slice() else {
            return None;
        };
        let component = self.component(id)?;
        let mut blocks = AcScan::new(tables.ac(ac)?, scan.first, scan.last);
        for (index, known) in component.known.iter_mut().enumerate() {
            if tables.restarts_before(index) {
                reader.skip_restart_marker()?;
                blocks.restart();
            }
            if scan.refines {
                blocks.skip_refinement(reader, known)?;
            } else {
                blocks.skip_first(reader, known)?;
            }
        }
        Some(())
    }
}

/// The part of a block that a scan contains, for scans that can contain several components.
#[derive(Clone, Copy)]
enum Block<'a> {
    /// All coefficients.
    Sequential(&'a HuffmanTable<'a>, &'a HuffmanTable<'a>),
    /// The high bits of the first coefficient.
    Dc(&'a HuffmanTable<'a>),
    /// A further bit of the first coefficient.
    DcRefinement,
}

impl Block<'_> {
    fn skip(self, reader: &mut BitReader<'_>) -> Option<()> {
        match self {
            Self::Sequential(dc, ac) => skip_block(reader, dc, ac),
            Self::Dc(dc) => skip_dc(reader, dc),
            Self::DcRefinement => reader.bit().map(drop),
        }
    }
}
