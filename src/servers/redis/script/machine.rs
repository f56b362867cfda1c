//! Carries a script out: statements, calls, and what goes wrong on the way (Lua 5.1, lvm.c and ldo.c).

mod evaluate;

use super::super::call::Call;
use super::library;
use super::syntax::{Block, Chunk, Expression, Slot, Statement};
use super::value::{Key, Lua, Table};

/// After so many steps a script is killed, as a patient operator would.
const STEPS_MAX: u64 = 5_000_000;

/// How deep blocks and expressions may stand in each other, called functions included, before no more function is called. The
/// real server goes on for some thousand calls.
const DEPTH_MAX: usize = 600;

/// A script in progress.
#[derive(Debug)]
pub(super) struct Machine<'a, 'b> {
    pub(super) chunk: &'a Chunk,
    pub(super) call: &'a mut Call<'b>,
    tables: Vec<Table>,
    closures: Vec<Closure>,
    /// The values of variables. Functions that outlive a block keep its variables by their place here.
    cells: Vec<Lua>,
    pub(super) globals: usize,
    steps: u64,
    depth: usize,
    /// Whether commands that write are refused.
    pub(super) is_read_only: bool,
}

#[derive(Clone, Debug)]
struct Closure {
    function: usize,
    scope: Vec<(Slot, usize)>,
}

/// A function in progress.
#[derive(Clone, Default, Debug)]
struct Frame {
    /// The variables that can be seen, and where their values are.
    scope: Vec<(Slot, usize)>,
    /// What `...` stands for.
    rest: Vec<Lua>,
}

/// An error on its way to whoever catches it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Thrown {
    pub(super) value: Lua,
    /// Where it was thrown.
    pub(super) line: usize,
}

/// How a block ends.
#[derive(Debug)]
enum Flow {
    Through,
    Break,
    Return(Vec<Lua>),
}

impl Machine<'_, '_> {
    pub(super) fn new<'a, 'b>(chunk: &'a Chunk, call: &'a mut Call<'b>, is_read_only: bool) -> Machine<'a, 'b> {
        let mut machine = Machine {
            chunk,
            call,
            tables: Vec::new(),
            closures: Vec::new(),
            cells: Vec::new(),
            globals: 0,
            steps: 0,
            depth: 0,
            is_read_only,
        };
        machine.globals = library::globals(&mut machine);
        machine
    }

    /// Carries out the whole script; what it returns.
    pub(super) fn run(&mut self) -> Result<Vec<Lua>, Thrown> {
        let chunk = self.chunk;
        match self.block(&chunk.body, &mut Frame::default())? {
            Flow::Return(values) => Ok(values),
            Flow::Through | Flow::Break => Ok(Vec::new()),
        }
    }

    pub(super) fn new_table(&mut self, table: Table) -> usize {
        self.tables.push(table);
        self.tables.len() - 1
    }

    pub(super) fn table(&self, table: usize) -> &Table {
        &self.tables[table]
    }

    pub(super) fn table_mut(&mut self, table: usize) -> &mut Table {
        &mut self.tables[table]
    }

    /// An error with the place in front, as Lua throws it. Line 0 is where a function of the library calls another.
    pub(super) fn error(&self, line: usize, message: impl std::fmt::Display) -> Thrown {
        if line == 0 {
            return Thrown { value: Lua::text(message.to_string().as_bytes()), line };
        }
        Thrown { value: Lua::text(format!("user_script:{line}: {message}").as_bytes()), line }
    }

    fn step(&mut self, line: usize) -> Result<(), Thrown> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(self.error(line, "Script killed by user with SCRIPT KILL."));
        }
        Ok(())
    }

    fn declare(&mut self, frame: &mut Frame, slot: Slot, value: Lua) {
        self.cells.push(value);
        frame.scope.push((slot, self.cells.len() - 1));
    }

    fn block(&mut self, block: &Block, frame: &mut Frame) -> Result<Flow, Thrown> {
        let before = (frame.scope.len(), self.cells.len(), self.closures.len());
        self.depth += 1;
        let flow = self.statements(block, frame);
        self.depth -= 1;
        self.leave(frame, before);
        flow
    }

    /// Forgets what a block has declared, unless a function has been made that may still need it.
    fn leave(&mut self, frame: &mut Frame, (scope, cells, closures): (usize, usize, usize)) {
        frame.scope.truncate(scope);
        if self.closures.len() == closures {
            self.cells.truncate(cells);
        }
    }

    fn statements(&mut self, block: &Block, frame: &mut Frame) -> Result<Flow, Thrown> {
        for statement in block {
            match self.statement(statement, frame)? {
                Flow::Through => {}
                flow @ (Flow::Break | Flow::Return(_)) => return Ok(flow),
            }
        }
        Ok(Flow::Through)
    }

    fn statement(&mut self, statement: &Statement, frame: &mut Frame) -> Result<Flow, Thrown> {
        self.step(0)?;
        match statement {
            Statement::Local(slots, values) => {
                let values = self.values(values, frame, slots.len())?;
                slots.iter().zip(values).for_each(|(slot, value)| self.declare(frame, *slot, value));
            }
            Statement::LocalFunction(slot, function) => {
                // The function sees itself.
                self.declare(frame, *slot, Lua::Nil);
                let cell = self.cells.len() - 1;
                self.cells[cell] = self.closure(*function, frame);
            }
            Statement::Assign(targets, values) => self.assign(targets, values, frame)?,
            Statement::Call(call) => _ = self.many(call, frame)?,
            Statement::Do(body) => return self.block(body, frame),
            Statement::While(condition, body) => {
                while self.one(condition, frame)?.is_true() {
                    self.step(0)?;
                    match self.block(body, frame)? {
                        Flow::Through => {}
                        Flow::Break => break,
                        flow @ Flow::Return(_) => return Ok(flow),
                    }
                }
            }
            Statement::Repeat(body, condition) => return self.repeat(body, condition, frame),
            Statement::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.one(condition, frame)?.is_true() {
                        return self.block(body, frame);
                    }
                }
                return self.block(otherwise, frame);
            }
            Statement::Count { .. } => return self.count(statement, frame),
            Statement::Each { slots, values, body, line } => {
                let values = self.values(values, frame, 3)?;
                return self.each(slots, values, body, *line, frame);
            }
            Statement::Return(values) => return Ok(Flow::Return(self.all(values, frame)?)),
            Statement::Break => return Ok(Flow::Break),
        }
        Ok(Flow::Through)
    }

    fn repeat(&mut self, body: &Block, condition: &Expression, frame: &mut Frame) -> Result<Flow, Thrown> {
        loop {
            self.step(0)?;
            let before = (frame.scope.len(), self.cells.len(), self.closures.len());
            let flow = self.statements(body, frame)?;
            let is_done = match flow {
                Flow::Through => self.one(condition, frame)?.is_true(),
                Flow::Break | Flow::Return(_) => true,
            };
            self.leave(frame, before);
            match flow {
                Flow::Return(_) => return Ok(flow),
                Flow::Through | Flow::Break if is_done => return Ok(Flow::Through),
                Flow::Through | Flow::Break => {}
            }
        }
    }

    /// `for i = from, upto, step`
    fn count(&mut self, statement: &Statement, frame: &mut Frame) -> Result<Flow, Thrown> {
        let Statement::Count { slot, from, upto, step, body, line } = statement else { unreachable!("a count") };
        let mut number = |expression: &Expression, what: &str, frame: &mut Frame| {
            let value = self.one(expression, frame)?;
            value.number().ok_or_else(|| self.error(*line, format_args!("'for' {what} must be a number")))
        };
        let from = number(from, "initial value", frame)?;
        let upto = number(upto, "limit", frame)?;
        let one = Expression::Number(super::super::double::Double::from_int(1));
        let step = number(step.as_ref().unwrap_or(&one), "step", frame)?;
        let (mut at, zero) = (from, super::super::double::Double::ZERO);
        while if step > zero { at <= upto } else { upto <= at } {
            self.step(*line)?;
            let before = (frame.scope.len(), self.cells.len(), self.closures.len());
            self.declare(frame, *slot, Lua::Number(at));
            let flow = self.statements(body, frame)?;
            self.leave(frame, before);
            match flow {
                Flow::Through => at = at.plus(step),
                Flow::Break => break,
                Flow::Return(_) => return Ok(flow),
            }
        }
        Ok(Flow::Through)
    }

    /// `for a, b in iterator`
    fn each(
        &mut self,
        slots: &[Slot],
        values: Vec<Lua>,
        body: &Block,
        line: usize,
        frame: &mut Frame,
    ) -> Result<Flow, Thrown> {
        let [iterator, state, mut control] = <[Lua; 3]>::try_from(values).expect("three were asked for");
        loop {
            self.step(line)?;
            let found = self.invoke(&iterator, vec![state.clone(), control], line, None)?;
            control = found.first().cloned().unwrap_or(Lua::Nil);
            if control == Lua::Nil {
                return Ok(Flow::Through);
            }
            let before = (frame.scope.len(), self.cells.len(), self.closures.len());
            for (place, slot) in slots.iter().enumerate() {
                self.declare(frame, *slot, found.get(place).cloned().unwrap_or(Lua::Nil));
            }
            let flow = self.statements(body, frame)?;
            self.leave(frame, before);
            match flow {
                Flow::Through => {}
                Flow::Break => return Ok(Flow::Through),
                Flow::Return(_) => return Ok(flow),
            }
        }
    }

    fn assign(&mut self, targets: &[Expression], values: &[Expression], frame: &mut Frame) -> Result<(), Thrown> {
        // Where to, before what.
        let mut places = Vec::new();
        for target in targets {
            places.push(match target {
                Expression::Index { of, key, .. } => Some((self.one(of, frame)?, self.one(key, frame)?)),
                _ => None,
            });
        }
        let values = self.values(values, frame, targets.len())?;
        for ((target, place), value) in targets.iter().zip(places).zip(values) {
            match (target, place) {
                (Expression::Local { slot, .. }, _) => {
                    let cell = self.cell(*slot, frame);
                    self.cells[cell] = value;
                }
                (Expression::Global { line, .. }, _) => {
                    return Err(self.error(*line, "Attempt to modify a readonly table"));
                }
                (Expression::Index { of, line, .. }, Some((table, key))) => self.put(&table, &key, value, of, *line)?,
                _ => unreachable!("the parser lets nothing else be assigned"),
            }
        }
        Ok(())
    }

    fn put(&mut self, table: &Lua, key: &Lua, value: Lua, of: &Expression, line: usize) -> Result<(), Thrown> {
        let Lua::Table(table) = table else { return Err(self.wrong_kind("index", table, Some(of), line)) };
        if self.tables[*table].is_fixed {
            return Err(self.error(line, "Attempt to modify a readonly table"));
        }
        let Some(key) = Key::of(key) else {
            let what = if *key == Lua::Nil { "nil" } else { "NaN" };
            return Err(self.error(line, format_args!("table index is {what}")));
        };
        self.tables[*table].set(key, value);
        Ok(())
    }

    fn closure(&mut self, function: usize, frame: &Frame) -> Lua {
        self.closures.push(Closure { function, scope: frame.scope.clone() });
        Lua::Closure(self.closures.len() - 1)
    }

    fn cell(&self, slot: Slot, frame: &Frame) -> usize {
        frame.scope.iter().rev().find(|(known, _)| *known == slot).expect("the parser has seen it declared").1
    }

    /// Calls a function. `named` is how the script speaks of it.
    pub(super) fn invoke(
        &mut self,
        function: &Lua,
        arguments: Vec<Lua>,
        line: usize,
        named: Option<&Expression>,
    ) -> Result<Vec<Lua>, Thrown> {
        self.step(line)?;
        if self.depth >= DEPTH_MAX {
            return Err(self.error(line, "stack overflow"));
        }
        let closure = match function {
            Lua::Closure(closure) => self.closures[*closure].clone(),
            Lua::Native(native) => return library::run(self, *native, arguments, line),
            other => return Err(self.wrong_kind("call", other, named, line)),
        };
        self.enter(closure, arguments)
    }

    fn enter(&mut self, closure: Closure, arguments: Vec<Lua>) -> Result<Vec<Lua>, Thrown> {
        let chunk = self.chunk;
        let function = &chunk.functions[closure.function];
        let before = (self.cells.len(), self.closures.len());
        let mut frame = Frame { scope: closure.scope, rest: Vec::new() };
        let mut arguments = arguments.into_iter();
        for slot in &function.parameters {
            self.declare(&mut frame, *slot, arguments.next().unwrap_or(Lua::Nil));
        }
        if function.is_open {
            frame.rest = arguments.collect();
        }
        let flow = self.block(&function.body, &mut frame);
        self.leave(&mut frame, (0, before.0, before.1));
        match flow? {
            Flow::Return(values) => Ok(values),
            Flow::Through | Flow::Break => Ok(Vec::new()),
        }
    }
}
