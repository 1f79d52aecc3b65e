//! Lists of objects, cut into pages by the id of the last object seen.

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects, in the order of the list.
    pub items: Vec<T>,
    /// Whether the list goes on after the page, in the direction in which it is read.
    pub has_more: bool,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor<'a> {
    /// At the list's beginning.
    Start,
    /// Behind the object with this id.
    After(&'a str),
    /// So that the page ends before the object with this id.
    Before(&'a str),
}

/// Cuts one page of at most `limit` objects out of a list.
///
/// # Errors
/// The cursor's id, when the list has no object with it.
pub fn page<'a, T: Clone>(
    list: &[T],
    id: impl Fn(&T) -> &str,
    cursor: Cursor<'a>,
    limit: usize,
) -> Result<Page<T>, &'a str> {
    let place = |wanted: &'a str| list.iter().position(|it| id(it) == wanted).ok_or(wanted);
    let (items, has_more) = match cursor {
        Cursor::Start => (&list[..list.len().min(limit)], list.len() > limit),
        Cursor::After(wanted) => {
            let rest = &list[place(wanted)? + 1..];
            (&rest[..rest.len().min(limit)], rest.len() > limit)
        }
        Cursor::Before(wanted) => {
            let rest = &list[..place(wanted)?];
            (&rest[rest.len().saturating_sub(limit)..], rest.len() > limit)
        }
    };
    Ok(Page { items: items.to_vec(), has_more })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cursor: Cursor<'_>, expect: Result<(&[&str], bool), &str>) {
        let list = ["a", "b", "c", "d", "e"];
        let found = page(&list, |it| it, cursor, 2);
        let expect = expect.map(|(items, has_more)| Page { items: items.to_vec(), has_more });
        assert_eq!(found, expect, "{cursor:?}");
    }

    #[test]
    fn pages_are_cut_in_both_directions() {
        check(Cursor::Start, Ok((&["a", "b"], true)));
        check(Cursor::After("b"), Ok((&["c", "d"], true)));
        check(Cursor::After("c"), Ok((&["d", "e"], false)));
        check(Cursor::After("e"), Ok((&[], false)));
        check(Cursor::Before("d"), Ok((&["b", "c"], true)));
        check(Cursor::Before("b"), Ok((&["a"], false)));
        check(Cursor::After("x"), Err("x"));
    }
}
