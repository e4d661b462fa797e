// Package archive writes tar and zip archives whose bytes depend on nothing but names, contents and one time: the same
// files make the same archive on any machine.
package archive
