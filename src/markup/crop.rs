//! What a crop leaves of shapes and places, and where it moves them. `browser/src/markup/crop-shapes.ts` does the same.

use super::parse::{SHAPES, SIZE, WIDTH, rounded};
use super::{Area, Dab, Pen, Point, Shape};
use crate::infra::images::Patch;

/// A part that is destroyed takes so many pixels around it along.
const MARGIN: f64 = 3.0;
/// Lossy pictures are coded in blocks; what is in one shows in all of it.
const BLOCK: f64 = 16.0;

/// The size of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl Size {
    fn sides(self) -> (f64, f64) {
        (f64::from(self.width), f64::from(self.height))
    }

    fn shorter(self) -> f64 {
        f64::from(self.width.min(self.height))
    }

    /// The whole pixels that a redaction fills.
    pub fn redacted(self, area: &Area, lossy: bool) -> Patch {
        let block = if lossy { BLOCK } else { 1.0 };
        let (width, height) = self.sides();
        let down = |at: f64| (((at.floor() - MARGIN) / block).floor() * block).max(0.0);
        let up = |at: f64, most: f64| (((at.ceil() + MARGIN) / block).ceil() * block).min(most);
        patch(
            (down(area.x * width), down(area.y * height)),
            (
                up((area.x + area.w) * width, width),
                up((area.y + area.h) * height, height),
            ),
        )
    }

    /// The whole pixels that a crop leaves: each side at the nearest one, and never nothing.
    pub fn kept(self, area: &Area) -> Patch {
        let (width, height) = self.sides();
        let (left, top) = (
            (area.x * width).round().min(width - 1.0),
            (area.y * height).round().min(height - 1.0),
        );
        let (right, bottom) = (
            ((area.x + area.w) * width).round(),
            ((area.y + area.h) * height).round(),
        );
        patch(
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
    reason = "whole, and within the picture"
)]
fn patch((left, top): (f64, f64), (right, bottom): (f64, f64)) -> Patch {
    Patch {
        x: left as u32,
        y: top as u32,
        width: (right - left) as u32,
        height: (bottom - top) as u32,
    }
}

/// From a picture to a part of it.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    old: Size,
    kept: Patch,
}

impl Cut {
    /// The part `kept` of a picture of that size.
    pub fn new(old: Size, kept: Patch) -> Self {
        Self { old, kept }
    }

    /// What is left of shapes, looking as they did.
    pub fn shapes(&self, shapes: &[Shape]) -> Vec<Shape> {
        let mut left: Vec<Shape> = shapes.iter().flat_map(|shape| self.shape(shape)).collect();
        // A stroke that goes out and in again is several.
        left.truncate(SHAPES);
        left
    }

    /// What is left of a part; of a point itself.
    pub fn area(&self, area: &Area) -> Option<Area> {
        let (from, to) = (
            self.to(Point {
                x: area.x,
                y: area.y,
            }),
            self.to(Point {
                x: area.x + area.w,
                y: area.y + area.h,
            }),
        );
        let (x, y) = (from.x.max(0.0), from.y.max(0.0));
        let (w, h) = (to.x.min(1.0) - x, to.y.min(1.0) - y);
        // A point has no width; a part that is left with none is outside.
        let there =
            (w > 0.0 || (w == 0.0 && area.w == 0.0)) && (h > 0.0 || (h == 0.0 && area.h == 0.0));
        there.then(|| Area {
            x: rounded(x),
            y: rounded(y),
            w: rounded(w.min(1.0 - x)),
            h: rounded(h.min(1.0 - y)),
        })
    }

    fn shape(&self, shape: &Shape) -> Vec<Shape> {
        let one = |shape: Option<Shape>| shape.into_iter().collect();
        let boxed = |area: &Area| self.area(area).filter(|area| area.w > 0.0 && area.h > 0.0);
        match shape {
            Shape::Arrow { from, to, pen } => {
                one(self.segment(*from, *to).map(|(from, to)| Shape::Arrow {
                    from,
                    to,
                    pen: self.pen(*pen),
                }))
            }
            Shape::Line { from, to, pen } => {
                one(self.segment(*from, *to).map(|(from, to)| Shape::Line {
                    from,
                    to,
                    pen: self.pen(*pen),
                }))
            }
            Shape::Rectangle { r#box, pen } => one(boxed(r#box).map(|r#box| Shape::Rectangle {
                r#box,
                pen: self.pen(*pen),
            })),
            Shape::Ellipse { r#box, pen } => one(boxed(r#box).map(|r#box| Shape::Ellipse {
                r#box,
                pen: self.pen(*pen),
            })),
            Shape::Highlight { r#box, color } => one(boxed(r#box).map(|r#box| Shape::Highlight {
                r#box,
                color: *color,
            })),
            Shape::Freehand { points, pen } => self
                .strokes(points)
                .into_iter()
                .map(|points| Shape::Freehand {
                    points,
                    pen: self.pen(*pen),
                })
                .collect(),
            Shape::Text {
                at,
                text,
                size,
                color,
            } => {
                let size = rounded((size * self.grown()).clamp(SIZE.0, SIZE.1));
                one(self.inside(*at).map(|at| Shape::Text {
                    at,
                    text: text.clone(),
                    size,
                    color: *color,
                }))
            }
            Shape::Step { at, number, pen } => one(self.inside(*at).map(|at| Shape::Step {
                at,
                number: *number,
                pen: self.pen(*pen),
            })),
        }
    }

    /// By how much the shorter side was longer.
    fn grown(&self) -> f64 {
        self.old.shorter() / f64::from(self.kept.width.min(self.kept.height))
    }

    fn pen(&self, pen: Pen) -> Pen {
        Pen {
            width: rounded((pen.width * self.grown()).clamp(WIDTH.0, WIDTH.1)),
            ..pen
        }
    }

    fn to(&self, point: Point) -> Point {
        let (width, height) = self.old.sides();
        Point {
            x: (point.x * width - f64::from(self.kept.x)) / f64::from(self.kept.width),
            y: (point.y * height - f64::from(self.kept.y)) / f64::from(self.kept.height),
        }
    }

    fn inside(&self, point: Point) -> Option<Point> {
        let point = self.to(point);
        ((0.0..=1.0).contains(&point.x) && (0.0..=1.0).contains(&point.y)).then(|| tidy(point))
    }

    fn segment(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        let (from, to) = (self.to(from), self.to(to));
        within(from, to)
            .map(|(start, end)| (tidy(between(from, to, start)), tidy(between(from, to, end))))
    }

    /// The stretches of a stroke that are inside.
    fn strokes(&self, dabs: &[Dab]) -> Vec<Vec<Dab>> {
        if let [dab] = dabs {
            return self
                .inside(dab.at)
                .map(|at| vec![Dab { at, ..*dab }])
                .into_iter()
                .collect();
        }
        let mut strokes: Vec<Vec<Dab>> = Vec::new();
        let mut open = false;
        for pair in dabs.windows(2) {
            let [a, b] = [pair[0], pair[1]];
            let (from, to) = (self.to(a.at), self.to(b.at));
            let Some((start, end)) = within(from, to) else {
                open = false;
                continue;
            };
            let dab = |share: f64| Dab {
                at: tidy(between(from, to, share)),
                pressure: pressed(a, b, share),
            };
            if !open || start > 0.0 {
                strokes.push(vec![dab(start)]);
            }
            strokes
                .last_mut()
                .into_iter()
                .for_each(|stroke| stroke.push(dab(end)));
            open = end == 1.0;
        }
        strokes
    }
}

/// The shares of a segment at which it enters and leaves the picture (Liang and Barsky); none where it stays outside.
fn within(a: Point, b: Point) -> Option<(f64, f64)> {
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

fn between(a: Point, b: Point, share: f64) -> Point {
    Point {
        x: a.x + (b.x - a.x) * share,
        y: a.y + (b.y - a.y) * share,
    }
}

/// How hard was pressed between two points; none where it was no pen.
fn pressed(a: Dab, b: Dab, share: f64) -> Option<f64> {
    a.pressure.or(b.pressure)?;
    let (from, to) = (a.pressure.unwrap_or(0.5), b.pressure.unwrap_or(0.5));
    Some(rounded(from + (to - from) * share))
}

fn tidy(point: Point) -> Point {
    Point {
        x: rounded(point.x.clamp(0.0, 1.0)),
        y: rounded(point.y.clamp(0.0, 1.0)),
    }
}
