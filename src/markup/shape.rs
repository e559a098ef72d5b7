//! The types of shapes. Positions are fractions (0–1) of the picture's sides, measured from the top
//! left. Widths and sizes are fractions of the shorter side.

use serde::Serialize;

/// Color of a shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are self-explanatory")]
pub enum Color {
    #[default]
    Red,
    Orange,
    Yellow,
    Green,
    Blue,
    Purple,
    Black,
    White,
}

impl Color {
    /// All colors, in the order in which the editor shows them.
    pub const ALL: [Self; 8] = [
        Self::Red,
        Self::Orange,
        Self::Yellow,
        Self::Green,
        Self::Blue,
        Self::Purple,
        Self::Black,
        Self::White,
    ];

    /// Returns the color's name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Purple => "purple",
            Self::Black => "black",
            Self::White => "white",
        }
    }

    /// Returns the color's hexadecimal value for drawing. `browser/src/markup/draw.ts` uses the
    /// same values.
    pub fn hex(self) -> &'static str {
        match self {
            Self::Red => "#e5322d",
            Self::Orange => "#f08c00",
            Self::Yellow => "#fcc419",
            Self::Green => "#2f9e44",
            Self::Blue => "#1c7ed6",
            Self::Purple => "#9c36b5",
            Self::Black => "#1a1a1a",
            Self::White => "#ffffff",
        }
    }

    /// Returns the contrasting color, which is used for text on a background of this color and for
    /// the outline of text in this color.
    pub fn contrast(self) -> &'static str {
        match self {
            Self::Yellow | Self::Orange | Self::White => Self::Black.hex(),
            _ => Self::White.hex(),
        }
    }
}

/// A point in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Distance from the left, as a fraction of the picture's width.
    pub x: f64,
    /// Distance from the top, as a fraction of the picture's height.
    pub y: f64,
}

impl Serialize for Point {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.x, self.y].serialize(serializer)
    }
}

/// How far a box may extend beyond an edge of the picture. Earlier versions rounded the position
/// and the size of a stored box separately, so their sum can slightly exceed 1.
pub(super) const EDGE_TOLERANCE: f64 = 2e-5;

/// Rounds to five decimals. The difference is too small to be visible.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 100_000.0).round() / 100_000.0
}

/// A rectangle in a picture, in fractions of the picture's width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge, as a fraction of the picture's width.
    pub x: f64,
    /// Top edge, as a fraction of the picture's height.
    pub y: f64,
    /// Width, as a fraction of the picture's width.
    pub w: f64,
    /// Height, as a fraction of the picture's height.
    pub h: f64,
}

impl Area {
    /// Rounds the numbers to five decimals. Shrinks the area if rounding would make it extend
    /// beyond the picture.
    pub(super) fn rounded(self) -> Self {
        let (x, y) = (rounded(self.x), rounded(self.y));
        Self {
            x,
            y,
            w: rounded(self.w).min(rounded(1.0 - x)),
            h: rounded(self.h).min(rounded(1.0 - y)),
        }
    }
}

impl Serialize for Area {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.x, self.y, self.w, self.h].serialize(serializer)
    }
}

/// A point of a stroke.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrokePoint {
    /// The position of the point.
    pub at: Point,
    /// Pressure of a pen, from 0 to 1. `None` for other devices, whose strokes are drawn with a
    /// pressure of 0.5.
    pub pressure: Option<f64>,
}

impl Serialize for StrokePoint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.pressure {
            Some(pressure) => [self.at.x, self.at.y, pressure].serialize(serializer),
            None => self.at.serialize(serializer),
        }
    }
}

/// Color and width of a stroke.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pen {
    /// Color of the stroke.
    pub color: Color,
    /// Width of the stroke, as a fraction of the picture's shorter side.
    pub width: f64,
}

/// A shape drawn over a picture. A redaction is not a shape, because it changes the picture itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(missing_docs, reason = "the fields are named as in the API")]
pub enum Shape {
    /// A line with an arrowhead at `to`.
    Arrow {
        from: Point,
        to: Point,
        #[serde(flatten)]
        pen: Pen,
    },
    /// A straight line.
    Line {
        from: Point,
        to: Point,
        #[serde(flatten)]
        pen: Pen,
    },
    /// A rectangle outline.
    Rectangle {
        r#box: Area,
        #[serde(flatten)]
        pen: Pen,
    },
    /// The largest ellipse that fits in the box.
    Ellipse {
        r#box: Area,
        #[serde(flatten)]
        pen: Pen,
    },
    /// A freehand stroke.
    Freehand {
        points: Vec<StrokePoint>,
        #[serde(flatten)]
        pen: Pen,
    },
    /// A translucent rectangle, like a stroke of a marker pen.
    Highlight { r#box: Area, color: Color },
    /// Text. `at` is the top-left corner of the first line.
    Text {
        at: Point,
        text: String,
        size: f64,
        color: Color,
    },
    /// A number in a filled circle.
    Step {
        at: Point,
        number: u16,
        #[serde(flatten)]
        pen: Pen,
    },
}
