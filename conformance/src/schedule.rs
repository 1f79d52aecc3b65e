//! Decides in which orders deliveries are sent: every permutation of a few, seeded samples of many, with duplicates, in
//! batches. A schedule is written as delivery numbers, so that it can be played again without its seed.

use std::{fmt, ops::Range, str::FromStr};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

/// One order of arrival: batches, each a list of indices. An index may occur several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    batches: Vec<Vec<usize>>,
}

impl Schedule {
    /// One delivery per batch, in this order.
    pub fn one_by_one(order: impl IntoIterator<Item = usize>) -> Self {
        Self { batches: order.into_iter().map(|index| vec![index]).collect() }
    }

    /// The true order of this number of deliveries.
    pub fn in_order(deliveries: usize) -> Self {
        Self::one_by_one(0..deliveries)
    }

    /// These batches, without the empty ones.
    pub fn of_batches(batches: impl IntoIterator<Item = Vec<usize>>) -> Self {
        Self { batches: batches.into_iter().filter(|batch| !batch.is_empty()).collect() }
    }

    /// The batches.
    pub fn batches(&self) -> &[Vec<usize>] {
        &self.batches
    }

    /// Every index in the order of arrival.
    pub fn order(&self) -> Vec<usize> {
        self.batches.concat()
    }

    /// Adds duplicates of some deliveries at random places and cuts the schedule into random batches. Leaves a fourth
    /// of all schedules as they are.
    #[must_use]
    pub fn decorated(&self, random: &mut StdRng) -> Self {
        let mut order = self.order();
        if random.random_ratio(1, 4) {
            return self.clone();
        }
        let deliveries = order.len();
        for _ in 0..random.random_range(0..=2_usize.min(deliveries)) {
            let again = order[random.random_range(0..order.len())];
            order.insert(random.random_range(0..=order.len()), again);
        }
        if random.random_ratio(1, 2) {
            return Self::one_by_one(order);
        }
        let mut batches = vec![Vec::new()];
        for index in order {
            if random.random_ratio(1, 2) {
                batches.push(Vec::new());
            }
            if let Some(batch) = batches.last_mut() {
                batch.push(index);
            }
        }
        Self::of_batches(batches)
    }

    /// The next steps of shrinking, simplest first: schedules with fewer batches of several deliveries, with fewer
    /// arrivals, or a little closer to the true order. Only the true order of a single delivery has no next step.
    pub fn simpler(&self) -> Vec<Self> {
        [self.looser(), self.fewer(), self.nearer()].concat()
    }

    /// The schedule without batches, or with one batch cut in two.
    fn looser(&self) -> Vec<Self> {
        let mut looser = Vec::new();
        if self.batches.len() < self.order().len() {
            looser.push(Self::one_by_one(self.order()));
        }
        for (nth, batch) in self.batches.iter().enumerate() {
            for place in 1..batch.len() {
                let mut batches = self.batches.clone();
                let rest = batches[nth].split_off(place);
                batches.insert(nth + 1, rest);
                looser.push(Self { batches });
            }
        }
        looser
    }

    /// The schedule without some of the arrivals: a half, a fourth, and so on down to each single one. At least one
    /// arrival is left.
    pub(crate) fn fewer(&self) -> Vec<Self> {
        let arrivals = self.order().len();
        let mut fewer = Vec::new();
        let mut size = arrivals / 2;
        while size > 0 {
            fewer.extend((0..arrivals).step_by(size).map(|from| self.without(from..from + size)));
            size /= 2;
        }
        fewer
    }

    fn without(&self, places: Range<usize>) -> Self {
        let mut place = 0..;
        let mut stays = |_: &usize| place.next().is_some_and(|place| !places.contains(&place));
        let mut batches = self.batches.clone();
        for batch in &mut batches {
            batch.retain(&mut stays);
        }
        Self::of_batches(batches)
    }

    /// The schedule with two neighbouring arrivals swapped into the true order.
    pub(crate) fn nearer(&self) -> Vec<Self> {
        let order = self.order();
        let falls = (1..order.len()).filter(|place| order[place - 1] > order[*place]);
        falls
            .map(|place| {
                let mut order = order.clone();
                order.swap(place - 1, place);
                let mut next = order.into_iter();
                let batches = self.batches.iter().map(|batch| next.by_ref().take(batch.len()).collect());
                Self::of_batches(batches.collect::<Vec<_>>())
            })
            .collect()
    }

    /// Writes the schedule with the deliveries' numbers.
    pub fn written(&self, numbers: &[u32]) -> Written {
        let number = |index: &usize| numbers.get(*index).copied().unwrap_or_default();
        Written(self.batches.iter().map(|batch| batch.iter().map(number).collect()).collect())
    }
}

/// A schedule as text: `3,1+2,1` sends 3 alone, 1 and 2 in one batch, then 1 again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written(pub Vec<Vec<u32>>);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let batch = |batch: &Vec<u32>| batch.iter().map(u32::to_string).collect::<Vec<_>>().join("+");
        f.write_str(&self.0.iter().map(batch).collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Written {
    type Err = ScheduleError;
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let number = |digits: &str| digits.trim().parse().map_err(|_| ScheduleError { text: text.to_owned() });
        let batch = |batch: &str| batch.split('+').map(number).collect();
        text.split(',').map(batch).collect::<Result<_, _>>().map(Self)
    }
}

/// The text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a schedule; write delivery numbers, with commas between batches and + within a batch: 3,1+2")]
pub struct ScheduleError {
    /// The text.
    pub text: String,
}

/// Every order of this number of indices, the true one first.
pub fn permutations(deliveries: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut next = Some((0..deliveries).collect::<Vec<_>>());
    std::iter::from_fn(move || {
        let order = next.take()?;
        next = following(&order);
        Some(order)
    })
}

/// The next permutation in lexicographic order.
fn following(order: &[usize]) -> Option<Vec<usize>> {
    let rise = order.windows(2).rposition(|pair| pair[0] < pair[1])?;
    let greater = order.iter().rposition(|index| *index > order[rise])?;
    let mut next = order.to_vec();
    next.swap(rise, greater);
    next[rise + 1..].reverse();
    Some(next)
}

/// A random order of this number of indices.
pub fn shuffled(deliveries: usize, random: &mut StdRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..deliveries).collect();
    order.shuffle(random);
    order
}

/// The random numbers of one case. They come from the run's seed and the case's name, so a case draws the same numbers
/// whichever other cases run.
pub fn random_of(seed: u64, name: &str) -> StdRng {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    StdRng::seed_from_u64(seed ^ hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permutation_comes_once() {
        let all: std::collections::BTreeSet<Vec<usize>> = permutations(5).collect();
        assert_eq!(all.len(), 120);
        assert_eq!(permutations(5).count(), 120);
        assert_eq!(permutations(3).next(), Some(vec![0, 1, 2]));
    }

    #[test]
    fn a_schedule_reads_what_it_writes() {
        for text in ["3,1+2,1", "1", "7+7+7"] {
            assert_eq!(text.parse::<Written>().expect(text).to_string(), text);
        }
        for text in ["", "1,,2", "a", "1+"] {
            assert_eq!(text.parse::<Written>(), Err(ScheduleError { text: text.to_owned() }));
        }
    }

    #[test]
    fn the_same_seed_decorates_the_same_way() {
        let schedule = Schedule::in_order(5);
        let draw = || {
            let mut random = random_of(7, "case");
            (0..20).map(|_| schedule.decorated(&mut random)).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        assert!(draw().iter().any(|it| it.order().len() > 5) && draw().iter().any(|it| it.batches().len() < 5));
    }

    #[test]
    fn shrinking_ends_at_one_delivery() {
        let mut schedule = Schedule::of_batches([vec![2, 0], vec![1, 2], vec![0]]);
        let mut steps = 0;
        while let Some(next) = schedule.simpler().into_iter().next() {
            schedule = next;
            steps += 1;
            assert!(steps < 20);
        }
        assert_eq!(schedule.batches().len(), 1);
        assert_eq!(schedule.order().len(), 1);
    }

    #[test]
    fn each_step_of_shrinking_takes_one_thing_away() {
        let steps = Schedule::of_batches([vec![1, 0], vec![2]]).simpler();
        assert_eq!(
            steps.into_iter().map(|it| it.batches).collect::<Vec<_>>(),
            [
                // One schedule without batches, and one with the batch cut in two.
                vec![vec![1], vec![0], vec![2]],
                vec![vec![1], vec![0], vec![2]],
                // One arrival fewer.
                vec![vec![0], vec![2]],
                vec![vec![1], vec![2]],
                vec![vec![1, 0]],
                // The two arrivals that are out of order.
                vec![vec![0, 1], vec![2]],
            ]
        );
        assert!(Schedule::in_order(1).simpler().is_empty());
    }
}
