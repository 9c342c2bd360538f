#compdef bank

_bank_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _BANK_COMPLETE=complete_zsh bank)
}

compdef _bank_completion bank
