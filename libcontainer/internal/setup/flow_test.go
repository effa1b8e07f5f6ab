package setup

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// operations are all operations.
var operations = []operation{inCreate, inStart, inExec, inCreateHook, inStartHook, inAddMounts, inRemoveMounts}

// rowsOf returns the rows of an operation, in their order.
func rowsOf(table []step, op operation) []*step {
	var rows []*step
	for i := range table {
		if table[i].in&op != 0 {
			rows = append(rows, &table[i])
		}
	}
	return rows
}

// world is a combination of facts: whether each of them holds.
type world map[*fact]bool

func (w world) allows(conditions []condition) bool {
	for _, c := range conditions {
		if w[c.fact] == c.not {
			return false
		}
	}
	return true
}

// possible reports whether a job of an operation can have these facts.
func (w world) possible(op operation) bool {
	for f, holds := range w {
		if holds && (f.in&op == 0 || f.implies != nil && !w[f.implies]) {
			return false
		}
	}
	return true
}

func (w world) String() string {
	var names []string
	for f, holds := range w {
		names = append(names, condition{!holds, f}.String())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// worlds yields every possible combination of the facts that rows depend on.
func worlds(op operation, rows ...*step) func(yield func(world) bool) {
	facts := map[*fact]bool{}
	for _, s := range rows {
		for _, c := range s.when {
			for f := c.fact; f != nil; f = f.implies {
				facts[f] = true
			}
		}
	}
	list := slices.Collect(maps.Keys(facts))
	return func(yield func(world) bool) {
		for bits := range 1 << len(list) {
			w := world{}
			for i, f := range list {
				w[f] = bits>>i&1 == 1
			}
			if w.possible(op) && !yield(w) {
				return
			}
		}
	}
}

// makersOf returns the rows that make a value.
func makersOf(rows []*step, value string) []*step {
	var makers []*step
	for _, s := range rows {
		if slices.Contains(s.made(), value) {
			makers = append(makers, s)
		}
	}
	return makers
}

// demands returns the values that a row needs, and those that it needs only if a step
// makes them ("?"). A row that needs the whole state needs every field.
func demands(s *step, rows []*step) (needed, optional []string) {
	for _, value := range s.needed() {
		name, maybe := strings.CutSuffix(value, "?")
		if maybe {
			optional = append(optional, name)
			continue
		}
		needed = append(needed, name)
		if name != "state" {
			continue
		}
		for _, maker := range rows {
			for _, made := range maker.made() {
				if strings.HasPrefix(made, "state.") && maker != s {
					optional = append(optional, made)
				}
			}
		}
	}
	return needed, optional
}

// isGiven reports whether the caller of an operation passes a value.
func isGiven(op operation, value string) bool {
	whole, _, _ := strings.Cut(value, ".")
	list := strings.Fields(op.given())
	return slices.Contains(list, value) || slices.Contains(list, whole)
}

// checkFlow returns the faults in the flow of values of an operation. Under every
// combination of conditions, exactly one earlier row must make each value that a row
// needs, unless the caller passes it.
func checkFlow(table []step, op operation) []string {
	rows := rowsOf(table, op)
	var faults []string
	for i, s := range rows {
		needed, optional := demands(s, rows)
		for n, value := range slices.Concat(needed, optional) {
			if isGiven(op, value) {
				continue
			}
			makers := makersOf(rows, value)
			for w := range worlds(op, append(slices.Clone(makers), s)...) {
				if !w.allows(s.when) {
					continue
				}
				before, after := 0, 0
				for _, m := range makers {
					switch {
					case !w.allows(m.when):
					case slices.Contains(rows[:i], m):
						before++
					default:
						after++
					}
				}
				if after > 0 || before > 1 || before == 0 && n < len(needed) {
					faults = append(faults, fmt.Sprintf("%s: %q needs %s, made by %d earlier and %d later rows (%s)", op, s.name, value, before, after, w))
					break
				}
			}
		}
	}
	return faults
}

// checkMakers returns the values that two rows of an operation make under the same
// combination of conditions, or that the caller passes as well.
func checkMakers(table []step, op operation) []string {
	rows := rowsOf(table, op)
	var faults []string
	for _, a := range rows {
		for _, value := range a.made() {
			if isGiven(op, value) {
				faults = append(faults, fmt.Sprintf("%s: the caller passes %s, and %q makes it", op, value, a.name))
			}
			for _, b := range makersOf(rows, value) {
				if a != b && together(op, a, b) {
					faults = append(faults, fmt.Sprintf("%s: %q and %q both make %s", op, a.name, b.name, value))
				}
			}
		}
	}
	return faults
}

// together reports whether a job can take both rows.
func together(op operation, a, b *step) bool {
	for w := range worlds(op, a, b) {
		if w.allows(a.when) && w.allows(b.when) {
			return true
		}
	}
	return false
}

func TestEachValueIsMadeOnceBeforeItIsNeeded(t *testing.T) {
	check := func(table []step, op operation) {
		for _, fault := range append(checkFlow(table, op), checkMakers(table, op)...) {
			t.Error(fault)
		}
	}
	for _, op := range operations {
		check(steps[:], op)
	}
	check(restoreSteps[:], inRestore)
}

// touched has the values that a function reads and writes, and the functions of this
// package that it uses.
type touched struct{ reads, writes, uses map[string]bool }

// fieldsOf returns the names of a struct's fields, those of embedded ones too.
func fieldsOf(t reflect.Type) map[string]bool {
	names := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		names[f.Name] = true
	}
	return names
}

// reader collects the values in the source of a function.
type reader struct {
	t              *testing.T
	values, fields map[string]bool // of the types values and State
	*touched
}

// valueOf returns the name of the value that an expression selects, else "". Every
// function names its run r.
func (rd *reader) valueOf(n *ast.SelectorExpr) string {
	switch base := n.X.(type) {
	case *ast.Ident:
		if base.Name == "r" && rd.values[n.Sel.Name] && n.Sel.Name != "state" {
			return n.Sel.Name
		}
	case *ast.SelectorExpr:
		if id, ok := base.X.(*ast.Ident); ok && id.Name == "r" && base.Sel.Name == "state" && rd.fields[n.Sel.Name] {
			return "state." + n.Sel.Name
		}
	}
	return ""
}

func (rd *reader) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			s, ok := left.(*ast.SelectorExpr)
			switch value := ""; {
			case !ok:
				ast.Inspect(left, rd.visit)
			case isState(s):
				rd.writes["state"] = true
			default:
				if value = rd.valueOf(s); value != "" {
					rd.writes[value] = true
				}
			}
		}
		for _, right := range n.Rhs {
			ast.Inspect(right, rd.visit)
		}
		return false
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "begin" {
			rd.visitTask(n.Args[1])
		}
	case *ast.SelectorExpr:
		if value := rd.valueOf(n); value != "" {
			rd.reads[value] = true
			return false
		}
		if isState(n) {
			rd.reads["state"] = true
			return false
		}
		if base, ok := n.X.(*ast.Ident); ok && base.Name == "r" {
			rd.uses["r."+n.Sel.Name] = true
		}
		ast.Inspect(n.X, rd.visit)
		return false
	case *ast.Ident:
		rd.uses[n.Name] = true
	}
	return true
}

// visitTask checks a function that runs concurrently with steps: it must not write
// values.
func (rd *reader) visitTask(f ast.Node) {
	task := &reader{rd.t, rd.values, rd.fields, &touched{map[string]bool{}, map[string]bool{}, map[string]bool{}}}
	ast.Inspect(f, task.visit)
	for value := range task.writes {
		rd.t.Errorf("a task writes %s", value)
	}
}

func isState(n *ast.SelectorExpr) bool {
	base, ok := n.X.(*ast.Ident)
	return ok && base.Name == "r" && n.Sel.Name == "state"
}

// source returns the values touched by each function of this package, by name; the
// name of a method is "r.NAME".
func source(t *testing.T) map[string]*touched {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]*touched{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				rd := reader{t, fieldsOf(reflect.TypeFor[values]()), fieldsOf(reflect.TypeFor[state.State]()), &touched{map[string]bool{}, map[string]bool{}, map[string]bool{}}}
				ast.Inspect(f.Body, rd.visit)
				name := f.Name.Name
				if f.Recv != nil {
					name = "r." + name
				}
				functions[name] = rd.touched
			}
		}
	}
	return functions
}

// engine lists the functions of run that belong to no step.
var engine = []string{"newRun", "walk", "descend", "take", "flush", "undo", "stepError", "note", "waitForTasks", "atEnd", "release", "begin", "explainOOM"}

// reach returns the values touched by a function and by all functions that it uses.
func reach(functions map[string]*touched, name string) (reads, writes map[string]bool) {
	reads, writes = map[string]bool{}, map[string]bool{}
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		f := functions[name]
		if f == nil || seen[name] || slices.Contains(engine, strings.TrimPrefix(name, "r.")) {
			return
		}
		seen[name] = true
		maps.Copy(reads, f.reads)
		maps.Copy(writes, f.writes)
		for used := range f.uses {
			visit(used)
		}
	}
	visit(name)
	return reads, writes
}

// nameOf returns the name of a function of this package.
func nameOf(f func(*run) error) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// A row declares exactly the values that its function touches.
func TestRowsDeclareWhatTheyTouch(t *testing.T) {
	functions := source(t)
	sorted := func(set map[string]bool) string {
		return strings.Join(slices.Sorted(maps.Keys(set)), " ")
	}
	for _, s := range allSteps() {
		reads, writes := reach(functions, nameOf(s.do))
		if functions[nameOf(s.do)] == nil {
			t.Errorf("%q: no function %s", s.name, nameOf(s.do))
		}
		needs, makes := map[string]bool{}, map[string]bool{}
		for _, value := range s.made() {
			makes[value] = true
			delete(reads, value)
			if value == "state" {
				maps.DeleteFunc(reads, func(v string, _ bool) bool { return strings.HasPrefix(v, "state.") })
			}
		}
		for _, value := range s.needed() {
			needs[strings.TrimSuffix(value, "?")] = true
		}
		if s.side == stubSide {
			reads["stub"] = true
		}
		if sorted(reads) != sorted(needs) {
			t.Errorf("%q reads %q, and needs %q", s.name, sorted(reads), sorted(needs))
		}
		if sorted(writes) != sorted(makes) {
			t.Errorf("%q writes %q, and makes %q", s.name, sorted(writes), sorted(makes))
		}
		if s.undo != nil {
			if _, writes := reach(functions, nameOf(s.undo)); len(writes) > 0 {
				t.Errorf("the undo of %q writes %q", s.name, sorted(writes))
			}
		}
	}
}

// No step changes the job.
func TestNoStepChangesTheJob(t *testing.T) {
	fields := fieldsOf(reflect.TypeFor[job]())
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") || e.Name() == "job.go" {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			assign, ok := n.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for _, left := range assign.Lhs {
				s, ok := left.(*ast.SelectorExpr)
				if !ok {
					continue
				}
				if base, ok := s.X.(*ast.Ident); ok && base.Name == "r" && fields[s.Sel.Name] {
					t.Errorf("%s: r.%s is a field of the job, which no step may change", fset.Position(n.Pos()), s.Sel.Name)
				}
			}
			return true
		})
	}
}
