"""What the quality benchmark consists of: tasks, contenders, and a section for each thing that must hold."""
