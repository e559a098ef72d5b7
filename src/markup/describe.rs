//! Describes shapes in words, for screen readers. `browser/src/markup/describe.ts` uses the same
//! words.

use super::{Area, Point, Shape};

impl Shape {
    /// Describes the shape and its position, measured from the top left, for example "Arrow, red,
    /// from 10%, 20% to 40%, 50%".
    pub fn describe(&self) -> String {
        match self {
            Self::Arrow { from, to, pen } => format!(
                "Arrow, {}, from {} to {}",
                pen.color.as_str(),
                describe_point(*from),
                describe_point(*to)
            ),
            Self::Line { from, to, pen } => format!(
                "Line, {}, from {} to {}",
                pen.color.as_str(),
                describe_point(*from),
                describe_point(*to)
            ),
            Self::Rectangle { r#box, pen } => {
                format!(
                    "Rectangle, {}, at {}",
                    pen.color.as_str(),
                    describe_area(r#box)
                )
            }
            Self::Ellipse { r#box, pen } => {
                format!(
                    "Ellipse, {}, at {}",
                    pen.color.as_str(),
                    describe_area(r#box)
                )
            }
            Self::Highlight { r#box, color } => {
                format!("Highlight, {}, at {}", color.as_str(), describe_area(r#box))
            }
            Self::Freehand { points, pen } => match (points.first(), points.last()) {
                (Some(first), Some(last)) => {
                    format!(
                        "Freehand line, {}, from {} to {}",
                        pen.color.as_str(),
                        describe_point(first.at),
                        describe_point(last.at)
                    )
                }
                _ => "Freehand line".into(),
            },
            Self::Text { at, text, .. } => format!("Text “{text}”, at {}", describe_point(*at)),
            Self::Step { at, number, .. } => format!("Step {number}, at {}", describe_point(*at)),
        }
    }

    /// Returns the text of a text shape; `None` for other shapes.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } => Some(text),
            _ => None,
        }
    }
}

fn percent(part: f64) -> String {
    format!("{}%", (part * 100.0).round())
}

fn describe_point(point: Point) -> String {
    format!("{}, {}", percent(point.x), percent(point.y))
}

fn describe_area(area: &Area) -> String {
    format!(
        "{}, {} wide, {} high",
        describe_point(Point {
            x: area.x,
            y: area.y
        }),
        percent(area.w),
        percent(area.h)
    )
}
