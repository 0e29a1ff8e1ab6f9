//! Reads a log that was found good once more, for what needs to know all of it first.

use super::bundle::{Bundle, End, ObjectKeys};
use super::folder::{Folder, layout};
use super::{Ask, Stop, ahead};
use crate::glance::Glance;
use crate::leaf::Leaf;
use crate::tiles::TILE_WIDTH;
use crate::time::Calendar;
use crate::{Frontier, TreeHead};

/// Calls `each` with every entry and what a glance at it shows, in order. The files must still be those that gave this
/// head, or it is a fault.
pub(super) fn again(
    folder: &Folder<'_>,
    ask: &Ask,
    head: &TreeHead,
    keys: &ObjectKeys,
    each: &mut dyn FnMut(&Leaf<'_>, &Glance<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let changed = || layout("the files of the log were changed while they were read".to_owned());
    let (mut frontier, mut calendar) = (Frontier::new(), Calendar::default());
    ahead::each_bundle(folder, head.size, ask.threads, keys, &mut |bundle: &mut Bundle| {
        if !matches!(bundle.end, End::Good) || bundle.n * TILE_WIDTH != frontier.size() {
            return Err(changed());
        }
        for entry in &bundle.entries {
            let (leaf, glance) = Leaf::read(bundle.entry(entry), &mut calendar).map_err(|_| changed())?;
            each(&leaf, &glance)?;
        }
        match bundle.root {
            Some(root) => frontier.append_subtree(8, root),
            None => bundle.leaves.iter().for_each(|leaf| frontier.append(*leaf)),
        }
        Ok(())
    })?;
    if frontier.root() == head.root { Ok(()) } else { Err(changed()) }
}
