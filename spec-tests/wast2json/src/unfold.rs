//! Unfolds instructions: the `wast` crate reads the legacy exception instructions only in their flat
//! form, while the legacy scripts write them folded, `(try (do ...) (catch $e ...))`. Every word stays
//! on its line or moves to a later one, so a directive keeps its line number.

enum Tree<'a> {
    Word(&'a str, usize),
    List(Vec<Tree<'a>>, usize),
}

/// Whether the script holds a folded `try`.
pub fn is_needed(text: &str) -> bool {
    text.contains("(do ") || text.contains("(do)") || text.contains("(do\n")
}

pub fn unfold(text: &str) -> Result<String, String> {
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
    };
    let items = reader.items(0)?;
    let mut writer = Writer {
        out: String::new(),
        line: 1,
    };
    for item in &items {
        writer.script_item(item);
    }
    Ok(writer.out)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    fn items(&mut self, depth: usize) -> Result<Vec<Tree<'a>>, String> {
        let bytes = self.text.as_bytes();
        let mut items = Vec::new();
        while self.at < bytes.len() {
            let rest = &self.text[self.at..];
            match bytes[self.at] {
                b'\n' => {
                    self.line += 1;
                    self.at += 1;
                }
                c if c.is_ascii_whitespace() => self.at += 1,
                _ if rest.starts_with(";;") => self.at += rest.find('\n').unwrap_or(rest.len()),
                _ if rest.starts_with("(;") => self.block_comment()?,
                b'(' => {
                    let line = self.line;
                    self.at += 1;
                    items.push(Tree::List(self.items(depth + 1)?, line));
                }
                b')' if depth > 0 => {
                    self.at += 1;
                    return Ok(items);
                }
                b')' => return Err(format!("line {}: unexpected )", self.line)),
                _ => {
                    let length = word_length(rest);
                    items.push(Tree::Word(&rest[..length], self.line));
                    self.at += length;
                }
            }
        }
        if depth > 0 {
            return Err(format!("line {}: missing )", self.line));
        }
        Ok(items)
    }

    fn block_comment(&mut self) -> Result<(), String> {
        let mut depth = 0;
        while self.at < self.text.len() {
            let rest = &self.text.as_bytes()[self.at..];
            if rest.starts_with(b"(;") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with(b";)") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else {
                self.line += usize::from(rest[0] == b'\n');
                self.at += 1;
            }
        }
        Err(format!("line {}: a comment does not end", self.line))
    }
}

fn word_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut in_string = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            c if !in_string && (c.is_ascii_whitespace() || c == b'(' || c == b')' || c == b';') => {
                break
            }
            _ => {}
        }
        at += 1;
    }
    at
}

fn head<'a>(list: &[Tree<'a>]) -> &'a str {
    match list.first() {
        Some(Tree::Word(word, _)) => word,
        _ => "",
    }
}

fn is_list_of(tree: &Tree, heads: &[&str]) -> bool {
    matches!(tree, Tree::List(items, _) if heads.contains(&head(items)))
}

const BLOCK_TYPE: &[&str] = &["type", "param", "result"];
const FUNC_HEADER: &[&str] = &["type", "param", "result", "local", "export", "import"];

struct Writer {
    out: String,
    line: usize,
}

impl Writer {
    fn word(&mut self, word: &str, line: usize) {
        while self.line < line {
            self.out.push('\n');
            self.line += 1;
        }
        self.out.push_str(word);
        self.out.push(' ');
    }

    fn verbatim(&mut self, tree: &Tree) {
        match tree {
            Tree::Word(word, line) => self.word(word, *line),
            Tree::List(items, line) => {
                self.word("(", *line);
                for item in items {
                    self.verbatim(item);
                }
                self.word(")", *line);
            }
        }
    }

    /// Copies lists down to the functions of modules, whose bodies are unfolded.
    fn script_item(&mut self, tree: &Tree) {
        let Tree::List(items, line) = tree else {
            return self.verbatim(tree);
        };
        let is_function = head(items) == "func";
        self.word("(", *line);
        let mut in_body = false;
        for (i, item) in items.iter().enumerate() {
            let is_word = matches!(item, Tree::Word(..));
            in_body |=
                is_function && i > 0 && !is_list_of(item, FUNC_HEADER) && !(i == 1 && is_word);
            if in_body {
                self.instruction(item);
            } else if is_function {
                self.verbatim(item);
            } else {
                self.script_item(item);
            }
        }
        self.word(")", *line);
    }

    fn instruction(&mut self, tree: &Tree) {
        let Tree::List(items, line) = tree else {
            return self.verbatim(tree);
        };
        match head(items) {
            "type" | "param" | "result" => self.verbatim(tree),
            "block" | "loop" => {
                let body = self.block_head(items);
                self.instructions(body);
                self.word("end", *line);
            }
            "if" => {
                let condition = items.iter().filter(|i| !is_list_of(i, BLOCK_TYPE));
                for item in condition.filter(|i| !is_list_of(i, &["then", "else"])) {
                    if matches!(item, Tree::List(..)) {
                        self.instruction(item);
                    }
                }
                let rest = self.block_head(items);
                for arm in rest {
                    let Tree::List(arm_items, arm_line) = arm else {
                        continue;
                    };
                    match head(arm_items) {
                        "then" => self.instructions(&arm_items[1..]),
                        "else" => {
                            self.word("else", *arm_line);
                            self.instructions(&arm_items[1..]);
                        }
                        _ => {}
                    }
                }
                self.word("end", *line);
            }
            "try" => {
                let mut delegates = false;
                let clauses = self.block_head(items);
                for clause in clauses {
                    let Tree::List(clause_items, clause_line) = clause else {
                        continue;
                    };
                    let name = head(clause_items);
                    let immediates = usize::from(name == "catch" || name == "delegate");
                    if name != "do" {
                        self.word(name, *clause_line);
                    }
                    delegates |= name == "delegate";
                    for item in &clause_items[1..=immediates] {
                        self.verbatim(item);
                    }
                    self.instructions(&clause_items[1 + immediates..]);
                }
                if !delegates {
                    self.word("end", *line);
                }
            }
            _ => {
                let is_operand =
                    |i: &&Tree| matches!(i, Tree::List(..)) && !is_list_of(i, BLOCK_TYPE);
                for operand in items.iter().filter(is_operand) {
                    self.instruction(operand);
                }
                for item in items.iter().filter(|i| !is_operand(i)) {
                    self.verbatim(item);
                }
            }
        }
    }

    fn instructions(&mut self, items: &[Tree]) {
        for item in items {
            self.instruction(item);
        }
    }

    /// Writes a block instruction, its label and its type; the rest of the list is returned.
    fn block_head<'t, 'a>(&mut self, items: &'t [Tree<'a>]) -> &'t [Tree<'a>] {
        let mut count = 1;
        self.verbatim(&items[0]);
        while let Some(item) = items.get(count) {
            let is_label = count == 1 && matches!(item, Tree::Word(w, _) if w.starts_with('$'));
            if !is_label && !is_list_of(item, BLOCK_TYPE) {
                break;
            }
            self.verbatim(item);
            count += 1;
        }
        &items[count..]
    }
}
