//! Clips and moves shapes and regions when a picture is cropped.
//! `browser/src/markup/crop-shapes.ts` implements the same rules.

use super::parse::{MAX_SHAPES, STROKE_WIDTH_RANGE, TEXT_SIZE_RANGE};
use super::shape::rounded;
use super::{Area, Pen, Point, Shape, StrokePoint};
use crate::infra::images::PixelRect;

/// The size of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Size {
    pub(super) fn sides(self) -> (f64, f64) {
        (f64::from(self.width), f64::from(self.height))
    }

    fn shorter(self) -> f64 {
        f64::from(self.width.min(self.height))
    }

    /// Returns the rectangle of pixels that a crop keeps. Each edge is rounded to the nearest
    /// pixel, and at least one pixel remains.
    pub fn crop_rect(self, area: &Area) -> PixelRect {
        let (width, height) = self.sides();
        let (left, top) = (
            (area.x * width).round().min(width - 1.0),
            (area.y * height).round().min(height - 1.0),
        );
        let (right, bottom) = (
            ((area.x + area.w) * width).round(),
            ((area.y + area.h) * height).round(),
        );
        pixel_rect(
            (left, top),
            (
                right.clamp(left + 1.0, width),
                bottom.clamp(top + 1.0, height),
            ),
        )
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the values are whole numbers within the picture"
)]
pub(super) fn pixel_rect((left, top): (f64, f64), (right, bottom): (f64, f64)) -> PixelRect {
    PixelRect {
        x: left as u32,
        y: top as u32,
        width: (right - left) as u32,
        height: (bottom - top) as u32,
    }
}

/// Converts positions in a picture to positions in the part that a crop keeps.
#[derive(Clone, Copy, Debug)]
pub struct Crop {
    old: Size,
    kept: PixelRect,
}

impl Crop {
    /// Creates the conversion for a picture of size `old` that is cropped to the part `kept`.
    pub fn new(old: Size, kept: PixelRect) -> Self {
        Self { old, kept }
    }

    /// Clips the shapes to the kept part and removes shapes outside of it. Scales sizes and widths
    /// so that the shapes look the same as before the crop.
    pub fn crop_shapes(&self, shapes: &[Shape]) -> Vec<Shape> {
        let mut remaining: Vec<Shape> = shapes
            .iter()
            .flat_map(|shape| self.crop_shape(shape))
            .collect();
        // Limit the number of shapes again, because a stroke that leaves and re-enters the kept
        // part becomes several strokes.
        remaining.truncate(MAX_SHAPES);
        remaining
    }

    /// Returns the part of an area that is inside the kept part, in fractions of the kept part. The
    /// area may be a single point. Returns `None` if nothing of it is inside.
    pub fn crop_area(&self, area: &Area) -> Option<Area> {
        let (from, to) = (
            self.map_point(Point {
                x: area.x,
                y: area.y,
            }),
            self.map_point(Point {
                x: area.x + area.w,
                y: area.y + area.h,
            }),
        );
        let (x, y) = (from.x.max(0.0), from.y.max(0.0));
        let (w, h) = (to.x.min(1.0) - x, to.y.min(1.0) - y);
        // An area that loses its width or height in the crop is outside the kept part. This does
        // not apply to a point, which had no width or height before.
        let is_inside =
            (w > 0.0 || (w == 0.0 && area.w == 0.0)) && (h > 0.0 || (h == 0.0 && area.h == 0.0));
        is_inside.then(|| Area { x, y, w, h }.rounded())
    }

    fn crop_shape(&self, shape: &Shape) -> Vec<Shape> {
        let one = |shape: Option<Shape>| shape.into_iter().collect();
        let boxed = |area: &Area| {
            self.crop_area(area)
                .filter(|area| area.w > 0.0 && area.h > 0.0)
        };
        match shape {
            Shape::Arrow { from, to, pen } => {
                one(self
                    .clip_segment(*from, *to)
                    .map(|(from, to)| Shape::Arrow {
                        from,
                        to,
                        pen: self.scale_pen(*pen),
                    }))
            }
            Shape::Line { from, to, pen } => {
                one(self.clip_segment(*from, *to).map(|(from, to)| Shape::Line {
                    from,
                    to,
                    pen: self.scale_pen(*pen),
                }))
            }
            Shape::Rectangle { r#box, pen } => one(boxed(r#box).map(|r#box| Shape::Rectangle {
                r#box,
                pen: self.scale_pen(*pen),
            })),
            Shape::Ellipse { r#box, pen } => one(boxed(r#box).map(|r#box| Shape::Ellipse {
                r#box,
                pen: self.scale_pen(*pen),
            })),
            Shape::Highlight { r#box, color } => one(boxed(r#box).map(|r#box| Shape::Highlight {
                r#box,
                color: *color,
            })),
            Shape::Freehand { points, pen } => self
                .clip_stroke(points)
                .into_iter()
                .map(|points| Shape::Freehand {
                    points,
                    pen: self.scale_pen(*pen),
                })
                .collect(),
            Shape::Text {
                at,
                text,
                size,
                color,
            } => {
                let size = rounded(
                    (size * self.scale_factor()).clamp(TEXT_SIZE_RANGE.0, TEXT_SIZE_RANGE.1),
                );
                one(self.point_inside(*at).map(|at| Shape::Text {
                    at,
                    text: text.clone(),
                    size,
                    color: *color,
                }))
            }
            Shape::Step { at, number, pen } => one(self.point_inside(*at).map(|at| Shape::Step {
                at,
                number: *number,
                pen: self.scale_pen(*pen),
            })),
        }
    }

    /// Returns the factor by which sizes are multiplied after the crop. Sizes are fractions of the picture's shorter
    /// side, so they grow when that side becomes shorter.
    fn scale_factor(&self) -> f64 {
        self.old.shorter() / f64::from(self.kept.width.min(self.kept.height))
    }

    fn scale_pen(&self, pen: Pen) -> Pen {
        Pen {
            width: rounded(
                (pen.width * self.scale_factor()).clamp(STROKE_WIDTH_RANGE.0, STROKE_WIDTH_RANGE.1),
            ),
            ..pen
        }
    }

    fn map_point(&self, point: Point) -> Point {
        let (width, height) = self.old.sides();
        Point {
            x: (point.x * width - f64::from(self.kept.x)) / f64::from(self.kept.width),
            y: (point.y * height - f64::from(self.kept.y)) / f64::from(self.kept.height),
        }
    }

    fn point_inside(&self, point: Point) -> Option<Point> {
        let point = self.map_point(point);
        ((0.0..=1.0).contains(&point.x) && (0.0..=1.0).contains(&point.y))
            .then(|| clamp_point(point))
    }

    fn clip_segment(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        let (from, to) = (self.map_point(from), self.map_point(to));
        clip_range(from, to).map(|(start, end)| {
            (
                clamp_point(interpolate(from, to, start)),
                clamp_point(interpolate(from, to, end)),
            )
        })
    }

    /// Returns the parts of a stroke that are inside the kept part.
    fn clip_stroke(&self, stroke_points: &[StrokePoint]) -> Vec<Vec<StrokePoint>> {
        if let [stroke_point] = stroke_points {
            return self
                .point_inside(stroke_point.at)
                .map(|at| {
                    vec![StrokePoint {
                        at,
                        ..*stroke_point
                    }]
                })
                .into_iter()
                .collect();
        }
        let mut strokes: Vec<Vec<StrokePoint>> = Vec::new();
        let mut open = false;
        for pair in stroke_points.windows(2) {
            let [a, b] = [pair[0], pair[1]];
            let (from, to) = (self.map_point(a.at), self.map_point(b.at));
            let Some((start, end)) = clip_range(from, to) else {
                open = false;
                continue;
            };
            let stroke_point = |share: f64| StrokePoint {
                at: clamp_point(interpolate(from, to, share)),
                pressure: interpolate_pressure(a, b, share),
            };
            if !open || start > 0.0 {
                strokes.push(vec![stroke_point(start)]);
            }
            strokes
                .last_mut()
                .into_iter()
                .for_each(|stroke| stroke.push(stroke_point(end)));
            open = end == 1.0;
        }
        strokes
    }
}

/// Returns the positions at which a segment enters and leaves the picture, as fractions of the
/// segment's length (Liang–Barsky). Returns `None` if the segment is outside the picture.
fn clip_range(a: Point, b: Point) -> Option<(f64, f64)> {
    let (mut from, mut to) = (0.0_f64, 1.0_f64);
    for (step, room) in [
        (a.x - b.x, a.x),
        (b.x - a.x, 1.0 - a.x),
        (a.y - b.y, a.y),
        (b.y - a.y, 1.0 - a.y),
    ] {
        if step == 0.0 && room < 0.0 {
            return None;
        } else if step < 0.0 {
            from = from.max(room / step);
        } else if step > 0.0 {
            to = to.min(room / step);
        }
    }
    (from <= to).then_some((from, to))
}

fn interpolate(a: Point, b: Point, share: f64) -> Point {
    Point {
        x: a.x + (b.x - a.x) * share,
        y: a.y + (b.y - a.y) * share,
    }
}

/// Interpolates the pen pressure between two points. Returns `None` if neither point was drawn with
/// a pen.
fn interpolate_pressure(a: StrokePoint, b: StrokePoint, share: f64) -> Option<f64> {
    a.pressure.or(b.pressure)?;
    let (from, to) = (a.pressure.unwrap_or(0.5), b.pressure.unwrap_or(0.5));
    Some(rounded(from + (to - from) * share))
}

fn clamp_point(point: Point) -> Point {
    Point {
        x: rounded(point.x.clamp(0.0, 1.0)),
        y: rounded(point.y.clamp(0.0, 1.0)),
    }
}
