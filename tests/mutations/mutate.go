package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutation is a change of one file.
type mutation struct {
	name   string // file, line, kind and text
	file   string
	source []byte // of the changed file
	tests  tests
}

// edit replaces a part of a file.
type edit struct {
	from, to token.Pos
	text     string
}

// mutations returns the mutations of all targets.
func mutations() ([]mutation, error) {
	var all []mutation
	for _, t := range targets {
		files, err := filepath.Glob(t.files)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no file %s", t.files)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			found, err := t.of(file)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// walker is the file that takes the steps of the table.
const walker = setup + "run.go"

// table is the file of the table.
const table = "/steps.go"

// mutator collects the mutations of a file.
type mutator struct {
	target target
	file   string
	source []byte
	walker string // the text of the file walker
	set    *token.FileSet
	found  []mutation
}

// of returns the mutations of a file.
func (t target) of(file string) ([]mutation, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	steps, err := os.ReadFile(walker)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(steps), taking) {
		return nil, fmt.Errorf("%s has no %q", walker, taking)
	}
	m := &mutator{target: t, file: file, source: source, walker: string(steps), set: token.NewFileSet()}
	tree, err := parser.ParseFile(m.set, file, source, 0)
	if err != nil {
		return nil, err
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.CompositeLit:
			m.row(n)
		case *ast.ExprStmt:
			m.statement(n)
		case *ast.IfStmt:
			m.branch(n)
		case *ast.BinaryExpr:
			if !strings.HasSuffix(m.file, table) { // its flags are the operations of a step
				m.flags(n)
			}
		case *ast.CallExpr:
			m.errnos(n)
		}
		return true
	})
	return m.found, nil
}

func (m *mutator) offset(p token.Pos) int { return m.set.Position(p).Offset }

func (m *mutator) text(n ast.Node) string {
	return string(m.source[m.offset(n.Pos()):m.offset(n.End())])
}

// add adds a mutation.
func (m *mutator) add(kind string, at ast.Node, shown string, edits ...edit) {
	position := m.set.Position(at.Pos())
	shown, _, _ = strings.Cut(shown, "\n")
	source := slices.Clone(m.source)
	slices.SortFunc(edits, func(a, b edit) int { return int(b.from - a.from) })
	for _, e := range edits {
		source = slices.Concat(source[:m.offset(e.from)], []byte(e.text), source[m.offset(e.to):])
	}
	m.found = append(m.found, mutation{
		name: fmt.Sprintf("%s:%d: %s: %s", m.file, position.Line, kind, shown),
		file: m.file, source: source, tests: m.target.tests,
	})
}

// taking begins the function that takes a step.
const taking = "func (r *run) take(s *step) error {\n"

// row makes the runtime skip a step, in all operations and, if there are several, in one of
// them. The table stays as it is: tests that read it would notice a change for another
// reason.
func (m *mutator) row(n *ast.CompositeLit) {
	fields := map[string]ast.Expr{}
	for _, e := range n.Elts {
		if f, ok := e.(*ast.KeyValueExpr); ok {
			fields[m.text(f.Key)] = f.Value
		}
	}
	name, in := fields["name"], fields["in"]
	if name == nil || in == nil {
		return
	}
	m.skip(n, "no step: "+m.text(name), "s.name == "+m.text(name))
	if operations := operands(in); len(operations) > 1 {
		for _, op := range operations {
			m.skip(n, "not "+m.text(op)+": "+m.text(name), "s.name == "+m.text(name)+" && r.op&("+m.text(op)+") != 0")
		}
	}
}

// operands returns the operands of "|".
func operands(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.OR {
		return append(operands(b.X), operands(b.Y)...)
	}
	return []ast.Expr{e}
}

// skip adds a mutation that does not take steps with a condition.
func (m *mutator) skip(at ast.Node, shown, condition string) {
	before, after, _ := strings.Cut(m.walker, taking)
	m.found = append(m.found, mutation{
		name:   fmt.Sprintf("%s:%d: %s", m.file, m.set.Position(at.Pos()).Line, shown),
		file:   walker,
		source: []byte(before + taking + "if " + condition + " { return nil }\n" + after),
		tests:  testsOf(shown),
	})
}

// statement removes a call without a used result.
func (m *mutator) statement(n *ast.ExprStmt) {
	call, ok := n.X.(*ast.CallExpr)
	if !ok {
		return
	}
	if f, ok := call.Fun.(*ast.SelectorExpr); ok && harmless[f.Sel.Name] {
		return
	}
	m.add("no call", n, m.text(n), edit{n.Pos(), n.Pos(), "if false { "}, edit{n.End(), n.End(), " }"})
}

// harmless are calls that only name or clean up.
var harmless = map[string]bool{"Label": true, "Close": true, "CloseFd": true, "Warn": true, "Debug": true, "warn": true}

// branch makes a condition false.
func (m *mutator) branch(n *ast.IfStmt) {
	if m.onlyReturns(n) {
		return
	}
	m.add("never", n, "if "+m.text(n.Cond), edit{n.Cond.Pos(), n.Cond.Pos(), "false && ("}, edit{n.Cond.End(), n.Cond.End(), ")"})
}

// onlyReturns reports whether a statement returns an error that a call has returned. Without
// such statements tests/faults fails, which lets each call fail.
func (m *mutator) onlyReturns(n *ast.IfStmt) bool {
	return m.text(n.Cond) == "err != nil" && len(n.Body.List) == 1 && n.Else == nil && returns(n.Body.List[0])
}

func returns(s ast.Stmt) bool {
	_, ok := s.(*ast.ReturnStmt)
	return ok
}

// flags removes an operand of "|".
func (m *mutator) flags(n *ast.BinaryExpr) {
	if n.Op != token.OR {
		return
	}
	for _, part := range []struct{ gone, kept ast.Expr }{{n.X, n.Y}, {n.Y, n.X}} {
		if b, ok := part.gone.(*ast.BinaryExpr); ok && b.Op == token.OR {
			continue // its operands are removed one at a time
		}
		if strings.HasSuffix(m.text(part.gone), "O_RDONLY") {
			continue // it is 0
		}
		m.add("no flag", n, m.text(part.gone), edit{n.Pos(), n.End(), m.text(part.kept)})
	}
}

// errnos removes a tolerated errno.
func (m *mutator) errnos(n *ast.CallExpr) {
	f, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "MayFail" {
		return
	}
	for i, arg := range n.Args {
		var rest []string
		for k, other := range n.Args {
			if k != i {
				rest = append(rest, m.text(other))
			}
		}
		m.add("no errno", arg, m.text(arg), edit{n.Lparen + 1, n.Rparen, strings.Join(rest, ", ")})
	}
}
