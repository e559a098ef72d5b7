//! Parses the fields of a shape and checks their bounds.

use serde_json::{Map, Value};

use super::super::shape::rounded;
use super::text::check_text;
use super::{MAX_QUOTED, ShapeParser};
use crate::markup::{Area, Color, Pen, Point, Shape, StrokePoint};
use crate::text::truncate;

/// Maximum number of points of a stroke.
const MAX_STROKE_POINTS: usize = 2_000;

/// Allowed stroke widths and text sizes, as fractions of the picture's shorter side.
pub(in crate::markup) const STROKE_WIDTH_RANGE: (f64, f64) = (0.0005, 0.1);
pub(in crate::markup) const TEXT_SIZE_RANGE: (f64, f64) = (0.005, 0.5);

/// The parser of a single shape.
pub(super) struct ShapeEntry<'a, 'b> {
    pub(super) reader: &'a mut ShapeParser<'b>,
    pub(super) name: &'a str,
    pub(super) object: &'a Map<String, Value>,
    pub(super) known: Vec<&'static str>,
}

impl ShapeEntry<'_, '_> {
    /// Returns a required member of the shape. Reports an error if it is missing.
    fn member(&mut self, member: &'static str) -> Option<(String, Value)> {
        self.known.push(member);
        let field = format!("{}.{member}", self.name);
        match self.object.get(member) {
            Some(value) => Some((field, value.clone())),
            None => {
                self.reader.add_error(field, "is missing.");
                None
            }
        }
    }

    /// Reports an error for each member that this kind of shape does not have.
    pub(super) fn reject_other_fields(&mut self, kind: &str) {
        for member in self.object.keys() {
            if !self.known.contains(&member.as_str()) {
                self.reader.add_error(
                    format!("{}.{}", self.name, truncate(member, MAX_QUOTED)),
                    format!("is not a field of {kind} shapes. Leave it out."),
                );
            }
        }
    }

    fn point_member(&mut self, member: &'static str) -> Option<Point> {
        let (field, value) = self.member(member)?;
        self.reader.point(&field, &value)
    }

    pub(super) fn area(&mut self, member: &'static str) -> Option<Area> {
        let round = self
            .object
            .get("kind")
            .is_none_or(|kind| kind != "redaction");
        let (field, value) = self.member(member)?;
        self.reader.area(&field, &value, round)
    }

    /// Parses an optional number. Returns `default` if the number is missing.
    fn number_or(&mut self, member: &'static str, default: f64, bounds: (f64, f64)) -> Option<f64> {
        self.known.push(member);
        let Some(value) = self.object.get(member) else {
            return Some(default);
        };
        self.reader
            .number(&format!("{}.{member}", self.name), value, bounds)
            .map(rounded)
    }

    pub(super) fn color(&mut self) -> Option<Color> {
        self.known.push("color");
        let Some(value) = self.object.get("color") else {
            return Some(Color::default());
        };
        let color = Color::ALL.into_iter().find(|color| value == color.as_str());
        if color.is_none() {
            let known = Color::ALL.map(Color::as_str).join(", ");
            self.reader.add_error(
                format!("{}.color", self.name),
                format!(
                    "is {}. Must be one of: {known}.",
                    truncate(&value.to_string(), MAX_QUOTED)
                ),
            );
        }
        color
    }

    fn pen(&mut self) -> Option<Pen> {
        let (color, width) = (
            self.color(),
            self.number_or("width", 0.004, STROKE_WIDTH_RANGE),
        );
        color.zip(width).map(|(color, width)| Pen { color, width })
    }

    pub(super) fn endpoints(&mut self) -> Option<(Point, Point, Pen)> {
        let (from, to, pen) = (
            self.point_member("from"),
            self.point_member("to"),
            self.pen(),
        );
        Some((from?, to?, pen?))
    }

    pub(super) fn box_and_pen(&mut self) -> Option<(Area, Pen)> {
        let (area, pen) = (self.area("box"), self.pen());
        area.zip(pen)
    }

    pub(super) fn freehand(&mut self) -> Option<Shape> {
        let (points, pen) = (self.stroke_points(), self.pen());
        points
            .zip(pen)
            .map(|(points, pen)| Shape::Freehand { points, pen })
    }

    fn stroke_points(&mut self) -> Option<Vec<StrokePoint>> {
        self.known.push("points");
        let field = format!("{}.points", self.name);
        let Some(list) = self
            .object
            .get("points")
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())
        else {
            self.reader.add_error(
                field,
                "is not a list of points. Use [[x, y], …], with numbers from 0 to 1.",
            );
            return None;
        };
        if list.len() > MAX_STROKE_POINTS {
            self.reader.add_error(
                field,
                format!(
                    "has {} points; the maximum is {MAX_STROKE_POINTS}.",
                    list.len()
                ),
            );
            return None;
        }
        self.reader.points += list.len();
        let stroke_points: Vec<StrokePoint> = list
            .iter()
            .enumerate()
            .map_while(|(n, value)| self.stroke_point(&format!("{field}[{n}]"), value))
            .collect();
        (stroke_points.len() == list.len()).then_some(stroke_points)
    }

    fn stroke_point(&mut self, field: &str, value: &Value) -> Option<StrokePoint> {
        match value.as_array().map(Vec::as_slice) {
            Some([x, y, pressure]) => {
                let at = self
                    .reader
                    .point(field, &Value::Array(vec![x.clone(), y.clone()]));
                let pressure = self.reader.number(field, pressure, (0.0, 1.0)).map(rounded);
                at.zip(pressure).map(|(at, pressure)| StrokePoint {
                    at,
                    pressure: Some(pressure),
                })
            }
            _ => self
                .reader
                .point(field, value)
                .map(|at| StrokePoint { at, pressure: None }),
        }
    }

    pub(super) fn text_shape(&mut self) -> Option<Shape> {
        let (at, size, color) = (
            self.point_member("at"),
            self.number_or("size", 0.03, TEXT_SIZE_RANGE),
            self.color(),
        );
        // Some API clients send a width with every shape. Ignore it here, because this kind of shape has no width.
        self.known.push("width");
        let (field, value) = self.member("text")?;
        let Some(text) = value.as_str() else {
            self.reader.add_error(field, "must be a string.");
            return None;
        };
        match check_text(text, self.reader.font) {
            Ok(text) => Some(Shape::Text {
                at: at?,
                text,
                size: size?,
                color: color?,
            }),
            Err(message) => {
                self.reader.add_error(field, message);
                None
            }
        }
    }

    pub(super) fn step(&mut self) -> Option<Shape> {
        let (at, pen) = (self.point_member("at"), self.pen());
        let (field, value) = self.member("number")?;
        let number = value
            .as_u64()
            .and_then(|number| u16::try_from(number).ok())
            .filter(|number| (1..=999).contains(number));
        if number.is_none() {
            self.reader.add_error(
                field,
                format!(
                    "is {}. Must be a whole number from 1 to 999.",
                    truncate(&value.to_string(), MAX_QUOTED)
                ),
            );
        }
        Some(Shape::Step {
            at: at?,
            number: number?,
            pen: pen?,
        })
    }
}
