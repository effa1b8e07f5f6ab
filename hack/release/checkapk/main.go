// Command checkapk checks packages of Alpine, with the implementation of apk that builds
// Chainguard's images: it makes a signed repository of each, installs the package from it
// into an empty root directory, compares the files with apk's database, and removes those
// that the database lists.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/chainguard-dev/go-apk/pkg/apk"
	apkfs "github.com/chainguard-dev/go-apk/pkg/fs"
	"github.com/chainguard-dev/go-apk/pkg/signature"
)

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Fprintf(os.Stderr, "checkapk: %s: %v\n", file, err)
			os.Exit(1)
		}
		fmt.Println(filepath.Base(file) + ": installed, verified, removed")
	}
}

// programs are the programs of the packages.
var programs = map[string]string{
	"berth":                 "usr/sbin/berth",
	"containerd-shim-berth": "usr/sbin/containerd-shim-berth-v2",
}

func check(file string) error {
	dir, err := os.MkdirTemp("", "checkapk")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	repository, root := filepath.Join(dir, "repository"), filepath.Join(dir, "root")
	pkg, key, err := publish(ctx, file, repository)
	if err != nil {
		return fmt.Errorf("make a repository: %w", err)
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	if err := install(ctx, pkg, key, repository, root); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	program, ok := programs[pkg.Name]
	if !ok {
		return fmt.Errorf("unknown package %q", pkg.Name)
	}
	if _, err := os.Stat(filepath.Join(root, program)); err != nil {
		return fmt.Errorf("package %q lacks its program: %w", pkg.Name, err)
	}
	if pkg.Name == "berth" != (len(pkg.Provides) == 1 && pkg.Provides[0] == "oci-runtime") {
		return fmt.Errorf("package %q provides %q", pkg.Name, pkg.Provides)
	}
	if err := remove(root); err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	return nothingLeft(root)
}

// publish makes a repository with the package, and signs its index. It returns the package
// and the public key.
func publish(ctx context.Context, file, repository string) (*apk.Package, []byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	pkg, err := apk.ParsePackage(ctx, bytes.NewReader(content))
	if err != nil {
		return nil, nil, err
	}
	if want := filepath.Base(file); want != pkg.Name+"_"+pkg.Version+"_"+pkg.Arch+".apk" {
		return nil, nil, fmt.Errorf("%s has %s %s for %s", want, pkg.Name, pkg.Version, pkg.Arch)
	}
	dir := filepath.Join(repository, pkg.Arch)
	index, err := apk.ArchiveFromIndex(&apk.APKIndex{Packages: []*apk.Package{pkg}})
	if err != nil {
		return nil, nil, err
	}
	archive, err := io.ReadAll(index)
	if err != nil {
		return nil, nil, err
	}
	private, public, err := keys()
	if err != nil {
		return nil, nil, err
	}
	keyFile, indexFile := filepath.Join(repository, keyName), filepath.Join(dir, "APKINDEX.tar.gz")
	err = errors.Join(
		os.MkdirAll(dir, 0o755),
		os.WriteFile(filepath.Join(dir, pkg.Filename()), content, 0o644),
		os.WriteFile(indexFile, archive, 0o644),
		os.WriteFile(keyFile, private, 0o600),
	)
	if err != nil {
		return nil, nil, err
	}
	return pkg, public, signature.SignIndex(ctx, keyFile, indexFile)
}

const keyName = "test.rsa"

func keys() (private, public []byte, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	text, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	private = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return private, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}), err
}

// install does what "apk add" does. That checks the signature of the index, and the hashes
// of the package in it.
func install(ctx context.Context, pkg *apk.Package, key []byte, repository, root string) error {
	tree := apkfs.DirFS(root)
	a, err := apk.New(apk.WithFS(tree), apk.WithArch(pkg.Arch), apk.WithIgnoreMknodErrors(true))
	if err != nil {
		return err
	}
	if err := a.InitDB(ctx); err != nil {
		return err
	}
	if err := tree.WriteFile("etc/apk/keys/"+keyName+".pub", key, 0o644); err != nil {
		return err
	}
	if err := errors.Join(a.SetRepositories(ctx, []string{repository}), a.SetWorld(ctx, []string{pkg.Name + "=" + pkg.Version})); err != nil {
		return err
	}
	if err := a.FixateWorld(ctx, nil); err != nil {
		return err
	}
	installed, err := a.GetInstalled()
	if err != nil {
		return err
	}
	if len(installed) != 1 || installed[0].Name != pkg.Name || installed[0].Version != pkg.Version {
		return fmt.Errorf("the database lists %v", installed)
	}
	return nil
}

// remove removes the files that the database lists, after a comparison with their hashes,
// and the directories that are empty then.
func remove(root string) error {
	list, err := os.Open(filepath.Join(root, "lib/apk/db/installed"))
	if err != nil {
		return err
	}
	defer list.Close()
	var dirs []string
	dir, file := "", ""
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "F":
			dir = filepath.Join(root, value)
			dirs = append(dirs, dir)
		case "R":
			file = filepath.Join(dir, value)
		case "Z":
			if err := verify(file, value); err != nil {
				return err
			}
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		os.Remove(dirs[i]) //nolint:errcheck // others have files in it
	}
	return nil
}

// verify compares a file with its hash in the database.
func verify(file, want string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	sum := sha1.Sum(content)
	if got := "Q1" + base64.StdEncoding.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("%s has the hash %s, in the database it is %s", file, got, want)
	}
	return nil
}

// nothingLeft returns an error if a file has the name of berth.
func nothingLeft(root string) error {
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.Contains(filepath.Base(path), "berth") {
			err = fmt.Errorf("%s is left", path)
		}
		return err
	})
}
