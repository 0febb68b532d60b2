//! Which question comes next, and which one was before: the order of asking. Pure.

/// The questions that have been answered, in the order in which they were.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    visited: Vec<usize>,
}

impl Flow {
    /// The first question that is open and has not been asked. An answer may open one that lies before it.
    pub(super) fn next(&self, count: usize, is_open: impl Fn(usize) -> bool) -> Option<usize> {
        (0..count).find(|question| is_open(*question) && !self.visited.contains(question))
    }

    /// A question has its answer.
    pub(super) fn visit(&mut self, question: usize) {
        self.visited.push(question);
    }

    /// Goes back to the question answered last that is still open; `false` where there is none.
    pub(super) fn back(&mut self, is_open: impl Fn(usize) -> bool) -> bool {
        while let Some(question) = self.visited.pop() {
            if is_open(question) {
                return true;
            }
        }
        false
    }

    /// Whether a question has its answer.
    pub(super) fn has(&self, question: usize) -> bool {
        self.visited.contains(&question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_come_in_order_and_back_leads_to_the_last_one() {
        let mut flow = Flow::default();
        assert!(!flow.back(|_| true));
        let open = |question: usize| question != 1;
        assert_eq!(flow.next(3, open), Some(0));
        flow.visit(0);
        assert_eq!(flow.next(3, open), Some(2));
        assert!(flow.back(open));
        assert_eq!(flow.next(3, open), Some(0));
        flow.visit(0);
        flow.visit(2);
        assert_eq!(flow.next(3, open), None);
    }

    #[test]
    fn an_answer_may_open_an_earlier_question_and_close_a_later_one() {
        let mut flow = Flow::default();
        flow.visit(1);
        flow.visit(2);
        assert_eq!(flow.next(3, |_| true), Some(0));
        // The last one is closed by now: back leads to the one before.
        assert!(flow.back(|question| question != 2));
        assert_eq!(flow.next(3, |question| question > 0 && question != 2), Some(1));
    }
}
