//! What a strip says, from the odds that the model for recognition gives: for each step to the right, those of every character.
//! A character counts once for as long as it stays the likeliest; 0 is none (connectionist temporal classification).

/// A text in the order of reading.
pub(super) struct Spelled {
    pub(super) letters: Vec<Letter>,
}

pub(super) struct Letter {
    pub(super) text: String,
    /// Its middle, as a share of the strip's length.
    pub(super) at: f32,
    pub(super) odds: f32,
}

impl Spelled {
    /// The mean over its characters; 0 for a text without any.
    pub(super) fn confidence(&self) -> f64 {
        let sum: f64 = self.letters.iter().map(|it| f64::from(it.odds)).sum();
        sum / self.letters.len().max(1) as f64
    }
}

/// `used` is the share of the steps that lies on the strip; the rest is filling.
pub(super) fn spell(odds: &[f32], steps: usize, characters: &[String], used: f32) -> Spelled {
    let mut letters: Vec<Letter> = Vec::new();
    let mut before = 0;
    let mut run = (0, 0);
    for (step, row) in odds.chunks_exact(characters.len() + 1).enumerate() {
        let best = row.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        let (class, odds) = best.unwrap_or_default();
        if class != before {
            run = (step, step);
        }
        run.1 = step;
        let at = (run.0 + run.1 + 1) as f32 / (2.0 * steps.max(1) as f32 * used);
        match (class.checked_sub(1).and_then(|it| characters.get(it)), letters.last_mut()) {
            // It goes on: its place moves with it, and its best odds count.
            (Some(_), Some(last)) if class == before => {
                last.at = at.min(1.0);
                last.odds = last.odds.max(odds);
            }
            (Some(text), _) => letters.push(Letter { text: plain(text), at: at.min(1.0), odds }),
            (None, _) => {}
        }
        before = class;
    }
    Spelled { letters }
}

/// The wide forms of Latin letters, digits and signs as the ordinary ones (Unicode, "Halfwidth and Fullwidth Forms").
fn plain(text: &str) -> String {
    let narrow = |it: char| match it {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(it) - 0xfee0).unwrap_or(it),
        '\u{3000}' => ' ',
        it => it,
    };
    text.chars().map(narrow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps as letters; `-` is none.
    fn read(steps: &str) -> String {
        let characters: Vec<String> = ["a", "b", "\u{ff1a}"].map(str::to_owned).to_vec();
        let odds: Vec<f32> = steps
            .chars()
            .flat_map(|step| ['-', 'a', 'b', ':'].map(|it| if it == step { 0.97 } else { 0.01 }))
            .collect();
        let spelled = spell(&odds, steps.len(), &characters, 1.0);
        spelled.letters.iter().map(|it| format!("{}{:.2} ", it.text, it.at)).collect()
    }

    #[test]
    fn a_character_that_stays_is_one_and_one_that_comes_again_is_two() {
        assert_eq!(read("----"), "");
        assert_eq!(read("aaaa"), "a0.50 ");
        assert_eq!(read("aa-a"), "a0.25 a0.88 ");
        assert_eq!(read("ab::"), "a0.12 b0.38 :0.75 ");
    }
}
