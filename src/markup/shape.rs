//! What a shape is: positions are 0–1 from the top left of the picture, widths and sizes fractions of its shorter side.

use serde::Serialize;

/// The colours of shapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "they say it themselves")]
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
    /// All of them, in the order of the editor.
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

    /// Its word.
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

    /// As it is drawn; `browser/src/markup/draw.ts` has the same.
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

    /// What is read on it, and what a text of it is rimmed with.
    pub fn contrast(self) -> &'static str {
        match self {
            Self::Yellow | Self::Orange | Self::White => Self::Black.hex(),
            _ => Self::White.hex(),
        }
    }
}

/// A place in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

impl Serialize for Point {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.x, self.y].serialize(serializer)
    }
}

/// A part of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Serialize for Area {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.x, self.y, self.w, self.h].serialize(serializer)
    }
}

/// A point of a stroke.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrokePoint {
    /// Where.
    pub at: Point,
    /// How hard a pen was pressed, 0–1; none where it was no pen, which is 0.5.
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

/// The colour and width of what is drawn with a stroke.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pen {
    /// Its colour.
    pub color: Color,
    /// Of the shorter side.
    pub width: f64,
}

/// A shape of a layer. Redactions are none: they are never stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(missing_docs, reason = "the members are those of the contract")]
pub enum Shape {
    /// A line with a head at `to`.
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
    /// A frame.
    Rectangle {
        r#box: Area,
        #[serde(flatten)]
        pen: Pen,
    },
    /// The largest ellipse in the box.
    Ellipse {
        r#box: Area,
        #[serde(flatten)]
        pen: Pen,
    },
    /// What a hand drew.
    Freehand {
        points: Vec<StrokePoint>,
        #[serde(flatten)]
        pen: Pen,
    },
    /// What a marker pen does.
    Highlight { r#box: Area, color: Color },
    /// Words; `at` is the top left of the first line.
    Text {
        at: Point,
        text: String,
        size: f64,
        color: Color,
    },
    /// A number in a disc.
    Step {
        at: Point,
        number: u16,
        #[serde(flatten)]
        pen: Pen,
    },
}
