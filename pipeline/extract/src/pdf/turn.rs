//! Pages whose text does not run to the right, turned upright to be read; what was read then gets its places on the page as
//! it lies.

use case::{Evidence, Extraction};
use hayro_interpret::kurbo::Point;

use super::ink::Mark;

/// So many letters for one that runs to the right must run in another direction, and at least so many, before the page is
/// turned: a stamp at the side of a page is none.
const MAJORITY: usize = 2;
const LETTERS_MIN: usize = 20;

/// A page that is turned so that its text stands upright.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turned {
    pub(super) page: u32,
    /// So many right angles clockwise, 0 to 3.
    pub(super) quarters: u8,
    /// As it lies, in points.
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Turned {
    /// Its size in points once it is turned.
    pub(super) fn size(self) -> (f64, f64) {
        if self.quarters.is_multiple_of(2) { (self.width, self.height) } else { (self.height, self.width) }
    }

    pub(super) fn mark(self, mark: &Mark) -> Mark {
        Mark { start: self.upright(mark.start), end: self.upright(mark.end), ..mark.clone() }
    }

    fn upright(self, Point { x, y }: Point) -> Point {
        match self.quarters {
            1 => Point::new(self.height - y, x),
            2 => Point::new(self.width - x, self.height - y),
            3 => Point::new(y, self.width - x),
            _ => Point::new(x, y),
        }
    }

    /// An area (left, top, right, bottom) of the turned page, on the page as it lies.
    pub(super) fn back(self, [left, top, right, bottom]: [f64; 4]) -> [f64; 4] {
        let (width, height) = (self.width, self.height);
        match self.quarters {
            1 => [top, height - right, bottom, height - left],
            2 => [width - right, height - bottom, width - left, height - top],
            3 => [width - bottom, left, width - top, right],
            _ => [left, top, right, bottom],
        }
    }
}

/// By how many right angles clockwise a page is turned so that most of its text stands upright.
pub(super) fn quarters(marks: &[Mark]) -> u8 {
    let mut counts = [0_usize; 4];
    for mark in marks.iter().filter(|mark| !mark.text.is_empty()) {
        let along = mark.end - mark.start;
        let quarters = match (along.y.abs() <= along.x.abs(), along.x < 0.0, along.y < 0.0) {
            (true, false, _) => 0,
            (true, true, _) => 2,
            (false, _, true) => 1,
            (false, _, false) => 3,
        };
        if let Some(count) = counts.get_mut(quarters) {
            *count += 1;
        }
    }
    let [upright, turned @ ..] = counts;
    let most = (1..).zip(turned).max_by_key(|(_, count)| *count);
    most.filter(|(_, count)| LETTERS_MIN <= *count && MAJORITY * upright < *count).map_or(0, |(quarters, _)| quarters)
}

/// Gives what was read on turned pages its places on the pages as they lie.
pub(super) fn back(extraction: &mut Extraction, turned: &[Turned]) {
    let turn = |evidence: &mut Evidence| {
        if let Evidence::Page { page, area, .. } = evidence
            && let Some(it) = turned.iter().find(|it| it.page == *page)
        {
            *area = it.back(*area);
        }
    };
    let fields = &mut extraction.fields;
    let groups = fields.vat_breakdown.iter_mut().flat_map(|it| it.values_mut());
    let lines = extraction.lines.iter_mut().flat_map(|it| it.values_mut());
    let values = fields.single.values_mut().chain(&mut fields.parties).chain(groups).chain(lines);
    values.map(|it| &mut it.evidence).for_each(turn);
    extraction.clauses.iter_mut().map(|it| &mut it.evidence).for_each(turn);
    extraction.labelled.iter_mut().map(|it| &mut it.evidence).for_each(turn);
}
