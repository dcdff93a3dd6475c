// Prints the page as soon as its numerals are there.
await document.fonts.ready;
print();
