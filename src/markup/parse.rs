//! Parses shapes from JSON. Reports errors by field (`shapes[3].points[7]`). Every accepted shape
//! can be drawn.

mod shape_entry;
mod text;

use serde_json::{Map, Value};

use shape_entry::ShapeEntry;
pub(super) use shape_entry::{STROKE_WIDTH_RANGE, TEXT_SIZE_RANGE};

use super::shape::{EDGE_TOLERANCE, rounded};
use super::{Area, Point, Shape};
use crate::error::{Error, FieldError, FieldErrors, Result};
use crate::infra::images::Font;
use crate::text::truncate;

/// Maximum number of shapes in the markup of a picture or in a drawing.
pub(super) const MAX_SHAPES: usize = 500;
/// Maximum number of points of all strokes combined.
const MAX_POINTS: usize = 100_000;
/// Maximum number of errors that are reported at once.
const MAX_ERRORS: usize = 20;
/// Maximum number of characters of a value that an error message quotes.
const MAX_QUOTED: usize = 40;

const KIND_LIST: &str = "arrow, line, rectangle, ellipse, freehand, highlight, text, step";

/// A request to save markup.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MarkupInput {
    /// The shapes, from back to front.
    pub shapes: Vec<Shape>,
    /// Areas to black out permanently.
    pub redactions: Vec<Area>,
    /// The area to keep; `None` keeps the whole picture.
    pub crop: Option<Area>,
}

impl MarkupInput {
    /// Parses shapes, redactions and a crop.
    pub fn parse(shapes: &Value, crop: &Value, font: &Font) -> Result<Self, FieldErrors> {
        let mut reader = ShapeParser::new("shapes", Some(font), true);
        reader.parse_all(shapes);
        let crop = if crop.is_null() {
            None
        } else {
            reader.area("crop", crop, false)
        };
        let crop = crop.filter(|crop| (crop.x, crop.y, crop.w, crop.h) != (0.0, 0.0, 1.0, 1.0));
        let ShapeParser {
            errors,
            shapes,
            redactions,
            ..
        } = reader;
        if errors.is_empty() {
            Ok(Self {
                shapes,
                redactions,
                crop,
            })
        } else {
            Err(errors)
        }
    }

    /// Whether the request removes content from the picture permanently.
    pub fn is_destructive(&self) -> bool {
        !self.redactions.is_empty() || self.crop.is_some()
    }
}

/// Parses the drawing of a comment. A drawing cannot contain redactions.
pub fn parse_drawing(value: &Value, font: &Font) -> Result<Vec<Shape>, FieldErrors> {
    let mut reader = ShapeParser::new("drawing", Some(font), false);
    reader.parse_all(value);
    if reader.errors.is_empty() && reader.shapes.is_empty() {
        reader.add_error("drawing", "has no shapes. Leave it out, or add a shape.");
    }
    if reader.errors.is_empty() {
        Ok(reader.shapes)
    } else {
        Err(reader.errors)
    }
}

/// Parses stored shapes. Does not check their text against the font, because the text was checked when the shapes were
/// saved.
pub(crate) fn parse_stored(text: &str) -> Result<Vec<Shape>> {
    let mut reader = ShapeParser::new("shapes", None, false);
    reader.parse_all(&serde_json::from_str(text).map_err(Error::internal)?);
    if reader.errors.is_empty() {
        Ok(reader.shapes)
    } else {
        Err(Error::internal(format!(
            "invalid stored shapes: {:?}",
            reader.errors
        )))
    }
}

/// Serializes shapes for storage.
pub(crate) fn to_json(shapes: &[Shape]) -> Result<String> {
    serde_json::to_string(shapes).map_err(Error::internal)
}

struct ShapeParser<'a> {
    field: &'static str,
    /// The font that text is checked against; `None` for stored shapes.
    font: Option<&'a Font>,
    allows_redactions: bool,
    shapes: Vec<Shape>,
    redactions: Vec<Area>,
    points: usize,
    errors: FieldErrors,
}

impl<'a> ShapeParser<'a> {
    fn new(field: &'static str, font: Option<&'a Font>, allows_redactions: bool) -> Self {
        Self {
            field,
            font,
            allows_redactions,
            shapes: Vec::new(),
            redactions: Vec::new(),
            points: 0,
            errors: FieldErrors::new(),
        }
    }

    fn add_error(&mut self, field: impl Into<String>, message: impl Into<FieldError>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.entry(field.into()).or_insert(message.into());
        }
    }

    fn parse_all(&mut self, value: &Value) {
        let Some(list) = value.as_array() else {
            return self.add_error(
                self.field,
                "must be a list of shapes, for example [{\"kind\":\"arrow\",\"from\":[0.1,0.2],\"to\":[0.4,0.5]}].",
            );
        };
        if list.len() > MAX_SHAPES {
            return self.add_error(
                self.field,
                format!("has {} shapes; the maximum is {MAX_SHAPES}.", list.len()),
            );
        }
        for (n, value) in list.iter().enumerate() {
            let name = format!("{}[{n}]", self.field);
            match value.as_object() {
                Some(object) => self.parse_shape(&name, object),
                None => self.add_error(name, "is not a shape. Use an object like {\"kind\":…}."),
            }
        }
        if self.points > MAX_POINTS {
            self.add_error(
                self.field,
                format!(
                    "has {} points in its strokes; the maximum is {MAX_POINTS}.",
                    self.points
                ),
            );
        }
    }

    /// Parses one shape. Skips an invalid shape after reporting the error.
    fn parse_shape(&mut self, name: &str, object: &Map<String, Value>) {
        let Some(kind) = self.kind_of(name, object) else {
            return;
        };
        let mut entry = ShapeEntry {
            reader: self,
            name,
            object,
            known: vec!["kind"],
        };
        let shape = match kind {
            "arrow" => entry
                .endpoints()
                .map(|(from, to, pen)| Shape::Arrow { from, to, pen }),
            "line" => entry
                .endpoints()
                .map(|(from, to, pen)| Shape::Line { from, to, pen }),
            "rectangle" => entry
                .box_and_pen()
                .map(|(r#box, pen)| Shape::Rectangle { r#box, pen }),
            "ellipse" => entry
                .box_and_pen()
                .map(|(r#box, pen)| Shape::Ellipse { r#box, pen }),
            "freehand" => entry.freehand(),
            "highlight" => {
                let (r#box, color) = (entry.area("box"), entry.color());
                // Some API clients send a width with every shape. Ignore it here, because this kind of shape has no
                // width.
                entry.known.push("width");
                r#box
                    .zip(color)
                    .map(|(r#box, color)| Shape::Highlight { r#box, color })
            }
            "text" => entry.text_shape(),
            "step" => entry.step(),
            "redaction" if entry.reader.allows_redactions => {
                entry.known.extend(["color", "width"]);
                if let Some(area) = entry.area("box") {
                    entry.reader.redactions.push(area);
                }
                None
            }
            "redaction" => {
                return self.add_error(
                    format!("{name}.kind"),
                    "must not be `redaction` here: redactions are allowed only in the markup of a picture.",
                );
            }
            other => {
                let message = format!(
                    "is {:?}. Must be one of: {}.",
                    truncate(other, MAX_QUOTED),
                    self.known_kinds()
                );
                return self.add_error(format!("{name}.kind"), message);
            }
        };
        entry.reject_other_fields(kind);
        self.shapes.extend(shape);
    }

    /// Returns the kind of a shape, even if the kind is unknown. Reports an error if it is missing
    /// or not a string.
    fn kind_of<'b>(&mut self, name: &str, object: &'b Map<String, Value>) -> Option<&'b str> {
        let message = match object.get("kind") {
            Some(Value::String(kind)) => return Some(kind),
            Some(_) => format!("is not a string. Must be one of: {}.", self.known_kinds()),
            None => format!("is missing. Use one of: {}.", self.known_kinds()),
        };
        self.add_error(format!("{name}.kind"), message);
        None
    }

    fn known_kinds(&self) -> String {
        if self.allows_redactions {
            format!("{KIND_LIST}, redaction")
        } else {
            KIND_LIST.into()
        }
    }

    /// Parses a number within bounds.
    fn number(&mut self, field: &str, value: &Value, (min, max): (f64, f64)) -> Option<f64> {
        let number = value.as_f64().filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.add_error(
                field,
                format!(
                    "is {}. Must be a number from {min} to {max}.",
                    truncate(&value.to_string(), MAX_QUOTED)
                ),
            );
        }
        number
    }

    fn point(&mut self, field: &str, value: &Value) -> Option<Point> {
        match value.as_array().map(Vec::as_slice) {
            Some([x, y]) => {
                let (x, y) = (
                    self.number(field, x, (0.0, 1.0)),
                    self.number(field, y, (0.0, 1.0)),
                );
                x.zip(y).map(|(x, y)| Point {
                    x: rounded(x),
                    y: rounded(y),
                })
            }
            _ => {
                self.add_error(
                    field,
                    "is not a point. Use [x, y], two numbers from 0 to 1.",
                );
                None
            }
        }
    }

    /// Parses a box. Rounds its numbers if `round` is true. Pass true for drawn shapes, and false for redactions and
    /// crops, which must stay exact.
    fn area(&mut self, field: &str, value: &Value, round: bool) -> Option<Area> {
        let Some([x, y, w, h]) = value.as_array().map(Vec::as_slice) else {
            self.add_error(
                field,
                "is not a box. Use [x, y, width, height], four numbers from 0 to 1.",
            );
            return None;
        };
        let mut side = |value| self.number(field, value, (0.0, 1.0));
        let (x, y, w, h) = (side(x)?, side(y)?, side(w)?, side(h)?);
        if x + w > 1.0 + EDGE_TOLERANCE || y + h > 1.0 + EDGE_TOLERANCE {
            self.add_error(
                field,
                "must be inside the picture: x + width and y + height must not exceed 1.",
            );
            return None;
        }
        let (w, h) = (w.min(1.0 - x), h.min(1.0 - y));
        let exact = Area { x, y, w, h };
        let area = if round { exact.rounded() } else { exact };
        if area.w <= 0.0 || area.h <= 0.0 {
            self.add_error(
                field,
                "is empty. The width and the height must be greater than 0.",
            );
            return None;
        }
        Some(area)
    }
}
