//! Regions of pictures that comments refer to.

use super::Area;
use super::shape::EDGE_TOLERANCE;

/// A region of a picture or frame, in fractions (0–1) from the top left. A point has zero width and
/// height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Left edge, as a fraction of the picture's width.
    pub x: f64,
    /// Top edge, as a fraction of the picture's height.
    pub y: f64,
    /// Width, as a fraction of the picture's width.
    pub w: f64,
    /// Height, as a fraction of the picture's height.
    pub h: f64,
}

impl Region {
    /// Creates a region. Fails unless the region lies within the picture.
    pub fn new(x: f64, y: f64, w: f64, h: f64) -> Result<Self, String> {
        let inside = [x, y, w, h]
            .iter()
            .all(|number| (0.0..=1.0).contains(number))
            && x + w <= 1.0 + EDGE_TOLERANCE
            && y + h <= 1.0 + EDGE_TOLERANCE;
        if inside {
            let (w, h) = (w.min(1.0 - x), h.min(1.0 - y));
            Ok(Self { x, y, w, h })
        } else {
            Err(
                "is outside the picture. Its x, y, w and h must be numbers from 0 to 1, \
                 measured from the top left."
                    .into(),
            )
        }
    }

    /// Serializes the region for storage.
    pub fn to_json(self) -> String {
        serde_json::json!({ "x": self.x, "y": self.y, "w": self.w, "h": self.h }).to_string()
    }

    /// Parses a stored or submitted region. Unknown members are errors.
    pub fn parse(value: &serde_json::Value) -> Result<Self, String> {
        let message =
            || "must be an object like {\"x\":0.1,\"y\":0.2,\"w\":0.3,\"h\":0.1}.".to_owned();
        let object = value.as_object().ok_or_else(message)?;
        if object
            .keys()
            .any(|key| !matches!(key.as_str(), "x" | "y" | "w" | "h"))
        {
            return Err(message());
        }
        let number = |key: &str, default: Option<f64>| {
            object
                .get(key)
                .map_or(default, serde_json::Value::as_f64)
                .ok_or_else(message)
        };
        Self::new(
            number("x", None)?,
            number("y", None)?,
            number("w", Some(0.0))?,
            number("h", Some(0.0))?,
        )
    }
}

impl From<Region> for Area {
    fn from(Region { x, y, w, h }: Region) -> Self {
        Self { x, y, w, h }
    }
}

impl From<Area> for Region {
    fn from(Area { x, y, w, h }: Area) -> Self {
        Self { x, y, w, h }
    }
}
