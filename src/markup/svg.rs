//! Renders shapes as SVG, for pages and for drawing the shapes into copies of pictures.
//! `browser/src/markup/draw.ts` renders the same elements.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use super::{Area, Color, Pen, Point, Shape, StrokePoint};
use crate::error::{Error, Result};

/// Family name of the bundled font.
pub const FONT_FAMILY: &str = "DejaVu Sans";

/// Renders shapes over a picture of `width` × `height` pixels. The SVG is safe to embed in a page.
pub fn render(shapes: &[Shape], width: i64, height: i64) -> Result<String> {
    let view = format!("0 0 {width} {height}");
    let mut canvas = SvgCanvas {
        out: Writer::new(Vec::new()),
        w: width as f64,
        h: height as f64,
        s: width.min(height) as f64,
    };
    let root = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("class", "layer"),
        ("viewBox", view.as_str()),
        ("aria-hidden", "true"),
        ("focusable", "false"),
    ];
    let drawn = (|| {
        canvas
            .out
            .write_event(Event::Start(BytesStart::new("svg").with_attributes(root)))?;
        for shape in shapes {
            canvas.draw(shape)?;
        }
        canvas.out.write_event(Event::End(BytesEnd::new("svg")))
    })();
    drawn.map_err(Error::internal)?;
    String::from_utf8(canvas.out.into_inner()).map_err(Error::internal)
}

/// Formats a number with at most two decimals and without trailing zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".into()
    } else {
        text.into()
    }
}

/// The attributes of a stroke.
fn stroke(color: &'static str, width: f64) -> [(&'static str, String); 5] {
    [
        ("fill", "none".into()),
        ("stroke", color.into()),
        ("stroke-width", number(width)),
        ("stroke-linecap", "round".into()),
        ("stroke-linejoin", "round".into()),
    ]
}

/// Writes SVG elements. `w` and `h` are the size of the picture in pixels, and `s` is the length of
/// its shorter side.
struct SvgCanvas {
    out: Writer<Vec<u8>>,
    w: f64,
    h: f64,
    s: f64,
}

impl SvgCanvas {
    fn draw(&mut self, shape: &Shape) -> io::Result<()> {
        match shape {
            Shape::Arrow { from, to, pen } => self.arrow(*from, *to, *pen),
            Shape::Line { from, to, pen } => {
                let (a, b) = (self.to_pixels(*from), self.to_pixels(*to));
                self.segment(a, b, *pen)
            }
            Shape::Rectangle { r#box, pen } => {
                let edges = self.edges(r#box);
                self.element(
                    "rect",
                    edges
                        .into_iter()
                        .chain(stroke(pen.color.hex(), pen.width * self.s)),
                )
            }
            Shape::Ellipse { r#box, pen } => {
                let [(_, x), (_, y), (_, w), (_, h)] = self.pixels(r#box);
                let round = [
                    ("cx", x + w / 2.0),
                    ("cy", y + h / 2.0),
                    ("rx", w / 2.0),
                    ("ry", h / 2.0),
                ]
                .map(number_attribute);
                self.element(
                    "ellipse",
                    round
                        .into_iter()
                        .chain(stroke(pen.color.hex(), pen.width * self.s)),
                )
            }
            Shape::Freehand { points, pen } => self.freehand(points, *pen),
            Shape::Highlight { r#box, color } => {
                let edges = self.edges(r#box);
                self.element(
                    "rect",
                    edges
                        .into_iter()
                        .chain([("fill", color.hex().into()), ("fill-opacity", "0.4".into())]),
                )
            }
            Shape::Text {
                at,
                text,
                size,
                color,
            } => self.text(*at, text, *size, *color),
            Shape::Step { at, number, pen } => self.step(*at, *number, *pen),
        }
    }

    fn arrow(&mut self, from: Point, to: Point, pen: Pen) -> io::Result<()> {
        let ((ax, ay), (bx, by)) = (self.to_pixels(from), self.to_pixels(to));
        let width = pen.width * self.s;
        let length = (bx - ax).hypot(by - ay);
        if length == 0.0 {
            return self.segment((ax, ay), (bx, by), pen);
        }
        let head = (5.0 * width).min(length);
        let (ux, uy) = ((bx - ax) / length, (by - ay) / length);
        self.segment((ax, ay), (bx - ux * head * 0.7, by - uy * head * 0.7), pen)?;
        let (cx, cy, nx, ny) = (
            bx - ux * head,
            by - uy * head,
            -uy * head * 0.5,
            ux * head * 0.5,
        );
        let d = format!(
            "M{}L{}L{}Z",
            format_point((bx, by)),
            format_point((cx + nx, cy + ny)),
            format_point((cx - nx, cy - ny))
        );
        self.element("path", [("d", d), ("fill", pen.color.hex().into())])
    }

    /// Draws a line, or a dot if both points are equal.
    fn segment(&mut self, a: (f64, f64), b: (f64, f64), pen: Pen) -> io::Result<()> {
        let width = pen.width * self.s;
        if a == b {
            return self.dot(a, width, pen.color);
        }
        let ends = [("x1", a.0), ("y1", a.1), ("x2", b.0), ("y2", b.1)].map(number_attribute);
        self.element(
            "line",
            ends.into_iter().chain(stroke(pen.color.hex(), width)),
        )
    }

    fn dot(&mut self, (x, y): (f64, f64), width: f64, color: Color) -> io::Result<()> {
        let disc = [("cx", x), ("cy", y), ("r", width / 2.0)].map(number_attribute);
        self.element(
            "circle",
            disc.into_iter().chain([("fill", color.hex().into())]),
        )
    }

    /// Draws a freehand stroke as smooth paths through the midpoints between its points. The width depends on the
    /// pressure, but a path has only one width. The pressure is therefore rounded to eighths, and a new path starts
    /// wherever the rounded pressure changes.
    fn freehand(&mut self, stroke_points: &[StrokePoint], pen: Pen) -> io::Result<()> {
        let points: Vec<(f64, f64)> = stroke_points
            .iter()
            .map(|stroke_point| self.to_pixels(stroke_point.at))
            .collect();
        let pressure = |n: usize| stroke_points[n].pressure.unwrap_or(0.5);
        let usual = pen.width * self.s;
        let width = |level: f64| usual * (0.4 + 1.2 * level / 8.0);
        let level =
            |segment: usize| (8.0 * (pressure(segment - 1) + pressure(segment)) / 2.0).round();
        if let [point] = points[..] {
            return self.dot(point, usual, pen.color);
        }
        let mut first = 1;
        while first < points.len() {
            let last = (first..points.len())
                .take_while(|segment| level(*segment) == level(first))
                .last()
                .unwrap_or(first);
            let mut d = format!("M{}", format_point(points[first - 1]));
            for k in first..last {
                let middle = (
                    (points[k].0 + points[k + 1].0) / 2.0,
                    (points[k].1 + points[k + 1].1) / 2.0,
                );
                d.push_str(&format!(
                    "Q{} {}",
                    format_point(points[k]),
                    format_point(middle)
                ));
            }
            d.push_str(&format!("L{}", format_point(points[last])));
            let attributes = stroke(pen.color.hex(), width(level(first)));
            self.element("path", [("d", d)].into_iter().chain(attributes))?;
            first = last + 1;
        }
        Ok(())
    }

    fn text(&mut self, at: Point, text: &str, size: f64, color: Color) -> io::Result<()> {
        let ((x, y), f) = (self.to_pixels(at), size * self.s);
        for (n, line) in text.split('\n').enumerate() {
            let place = [
                ("x", x),
                ("y", y + f * (0.93 + 1.2 * n as f64)),
                ("font-size", f),
                ("stroke-width", 0.16 * f),
            ]
            .map(number_attribute);
            let look = [
                ("xml:space", "preserve".into()),
                ("font-family", FONT_FAMILY.into()),
                ("fill", color.hex().into()),
                ("stroke", color.contrast().into()),
                ("stroke-linejoin", "round".into()),
                ("paint-order", "stroke".into()),
            ];
            self.text_element(place.into_iter().chain(look), line)?;
        }
        Ok(())
    }

    fn step(&mut self, at: Point, step: u16, pen: Pen) -> io::Result<()> {
        let ((x, y), r) = (self.to_pixels(at), 5.5 * pen.width * self.s);
        let disc =
            [("cx", x), ("cy", y), ("r", r), ("stroke-width", 0.12 * r)].map(number_attribute);
        let look = [
            ("fill", pen.color.hex().into()),
            ("stroke", pen.color.contrast().into()),
        ];
        self.element("circle", disc.into_iter().chain(look))?;
        let f = if step < 100 { 1.15 * r } else { 0.85 * r };
        let place = [("x", x), ("y", y + 0.36 * f), ("font-size", f)].map(number_attribute);
        let look = [
            ("font-family", FONT_FAMILY.into()),
            ("text-anchor", "middle".into()),
            ("fill", pen.color.contrast().into()),
        ];
        self.text_element(place.into_iter().chain(look), &step.to_string())
    }

    fn text_element(
        &mut self,
        attributes: impl Iterator<Item = (&'static str, String)>,
        words: &str,
    ) -> io::Result<()> {
        let mut element = self.out.create_element("text");
        for (name, value) in attributes {
            element = element.with_attribute((name, value.as_str()));
        }
        element.write_text_content(BytesText::new(words)).map(drop)
    }

    fn element(
        &mut self,
        name: &'static str,
        attributes: impl IntoIterator<Item = (&'static str, String)>,
    ) -> io::Result<()> {
        let mut element = self.out.create_element(name);
        for (name, value) in attributes {
            element = element.with_attribute((name, value.as_str()));
        }
        element.write_empty().map(drop)
    }

    /// Converts a position from fractions to pixels.
    fn to_pixels(&self, point: Point) -> (f64, f64) {
        (point.x * self.w, point.y * self.h)
    }

    fn pixels(&self, area: &Area) -> [(&'static str, f64); 4] {
        [
            ("x", area.x * self.w),
            ("y", area.y * self.h),
            ("width", area.w * self.w),
            ("height", area.h * self.h),
        ]
    }

    fn edges(&self, area: &Area) -> [(&'static str, String); 4] {
        self.pixels(area).map(number_attribute)
    }
}

fn number_attribute((name, value): (&'static str, f64)) -> (&'static str, String) {
    (name, number(value))
}

fn format_point((x, y): (f64, f64)) -> String {
    format!("{} {}", number(x), number(y))
}
